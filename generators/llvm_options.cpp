// Halide passes no options on to LLVM, but asks the environment for them when it compiles a kernel. Those of a user
// count alone.
//
// Innermost loops on x86 begin at a cache line. Where LLVM puts them at any multiple of 16 bytes, the same loop takes
// up to 1.25 times as long in one place as in another, and each link of an app draws lots anew.
//
// For ARM, LLVM's loop strength reduction would give each input of a tile a pointer of its own that a load moves on.
// Only loads into all lanes (ld1r) do that, which take the units that multiply. Without it, a number is loaded by
// itself beside the multiply-adds, which take it as an element. Depthwise kernels load whole vectors of inputs, and are
// better off with pointers.

#include "llvm_options.h"

#include <cstdlib>

namespace unstride {
namespace {

constexpr const char *variable = "HL_LLVM_ARGS";
const bool has_users = std::getenv(variable) != nullptr;
[[maybe_unused]] const int aligned =
    setenv(variable, "-x86-experimental-pref-innermost-loop-alignment=6", /*overwrite=*/0);

}  // namespace

void choose_llvm_options(const Halide::Target &target, const FamilyFacts &facts) {
    if (target.arch == Halide::Target::ARM && facts.inputs == Inputs::shared && !has_users) {
        setenv(variable, "-disable-lsr", /*overwrite=*/1);
    }
}

}  // namespace unstride
