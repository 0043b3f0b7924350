#ifndef UNSTRIDE_GENERATORS_EXACT_CONSTANTS_H
#define UNSTRIDE_GENERATORS_EXACT_CONSTANTS_H

#include <cmath>
#include <cstring>

#include "Halide.h"

namespace unstride {

// Halide 21 writes each constant into OpenCL C as the bits of a float, even if it is a double. Here a double that is no
// float becomes its bits, which are an integer.
class BitsOfDoubles : public Halide::Internal::IRMutator {
    using Halide::Internal::IRMutator::visit;

    Halide::Expr visit(const Halide::Internal::FloatImm *constant) override {
        const double value = constant->value;
        if (constant->type.bits() != 64 || static_cast<double>(static_cast<float>(value)) == value) {
            return constant;
        }
        uint64_t bits = 0;
        std::memcpy(&bits, &value, sizeof bits);
        return Halide::reinterpret(constant->type, Halide::Internal::make_const(Halide::UInt(64), bits));
    }
};

// This comes after all passes that simplify, so that it misses no constant. Targets other than OpenCL have exact ones.
inline void write_constants_exactly(Halide::Pipeline pipeline, const Halide::Target &target) {
    if (target.has_feature(Halide::Target::OpenCL)) {
        pipeline.add_custom_lowering_pass(new BitsOfDoubles());
    }
}

}  // namespace unstride

#endif
