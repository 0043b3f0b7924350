// Innermost loops begin at a cache line. Where LLVM puts them at any multiple of 16 bytes, the same loop takes up
// to 1.25 times as long in one place as in another, and each link of an app draws lots anew. Halide passes no such
// option on, but asks the environment for options of LLVM when it compiles a kernel.

#include <cstdlib>

namespace unstride {
namespace {

[[maybe_unused]] const int aligned =
    setenv("HL_LLVM_ARGS", "-x86-experimental-pref-innermost-loop-alignment=6", /*overwrite=*/0);

}  // namespace
}  // namespace unstride
