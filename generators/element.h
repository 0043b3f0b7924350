#ifndef UNSTRIDE_GENERATORS_ELEMENT_H
#define UNSTRIDE_GENERATORS_ELEMENT_H

#include <cmath>
#include <map>
#include <string>

#include "expressions.h"

namespace unstride {

// Numbers as they are in memory. They are computed with in f32, but f64 in f64. Kernels know the 16 bits of an f16 or
// bf16 as integers: not all processors have numbers of these types, and where Halide rounds to bf16 itself, a NaN can
// become infinity.
struct Element {
    enum class Type { F32, F64, F16, BF16 };
    static std::map<std::string, Type> names() {
        return {{"f32", Type::F32}, {"f64", Type::F64}, {"f16", Type::F16}, {"bf16", Type::BF16}};
    }

    Type type;
    bool has_f16;  // the processor converts them

    Element(Type type, const Halide::Target &target)
        : type(type), has_f16(target.has_feature(Halide::Target::F16C) || target.has_feature(Halide::Target::CUDA)) {
    }

    Halide::Type stored() const {
        return type == Type::F16 || type == Type::BF16 ? Halide::UInt(16) : computed();
    }
    Halide::Type computed() const {
        return Halide::Float(type == Type::F64 ? 64 : 32);
    }

    Halide::Expr load(const Halide::Expr &element) const {
        switch (type) {
        case Type::F16:
            return has_f16 ? Halide::cast<float>(Halide::reinterpret(Halide::Float(16), element)) : from_f16(element);
        case Type::BF16:
            return Halide::reinterpret<float>(Halide::cast<uint32_t>(element) << 16);
        case Type::F32:
        case Type::F64:
            break;
        }
        return element;
    }

    // Rounds to nearest, and ties to even.
    Halide::Expr store(const Halide::Expr &value) const {
        switch (type) {
        case Type::F16:
            return has_f16 ? Halide::reinterpret<uint16_t>(Halide::cast(Halide::Float(16), value)) : to_f16(value);
        case Type::BF16:
            return to_bf16(value);
        case Type::F32:
        case Type::F64:
            break;
        }
        return Halide::cast(stored(), value);
    }

private:
    static Halide::Expr bits(const Halide::Expr &value) {
        return Halide::reinterpret<uint32_t>(value);
    }

    // Halves round up, unless the number without them is even.
    static Halide::Expr rounded(const Halide::Expr &bits, int dropped) {
        return (bits + ((1 << (dropped - 1)) - 1) + ((bits >> dropped) & 1)) >> dropped;
    }

    static Halide::Expr to_bf16(const Halide::Expr &value) {
        const Halide::Expr all = bits(value), is_nan = (all & 0x7fffffff) > 0x7f800000;
        return Halide::cast<uint16_t>(select(is_nan, (all >> 16) | 0x40, rounded(all, 16)));
    }

    // The exponents of f16 begin at -15 where those of f32 begin at -127; numbers below 2^-14 have none.
    static Halide::Expr from_f16(const Halide::Expr &element) {
        const Halide::Expr all = Halide::cast<uint32_t>(element), magnitude = all & 0x7fff, shifted = magnitude << 13;
        const Halide::Expr tiny = bits(Halide::cast<float>(Halide::cast<int32_t>(magnitude)) * std::ldexp(1.F, -24));
        const Halide::Expr number =
            select(magnitude < 0x400, tiny, magnitude < 0x7c00, shifted + (112 << 23), shifted + (224 << 23));
        return Halide::reinterpret<float>(number | ((all & 0x8000) << 16));
    }

    // Below 2^-14, where f16 counts in steps of 2^-24, the addition of 1/2 rounds to such a step.
    static Halide::Expr to_f16(const Halide::Expr &value) {
        const Halide::Expr all = bits(value), magnitude = all & 0x7fffffff;
        const Halide::Expr tiny = bits(Halide::reinterpret<float>(magnitude) + 0.5F) - bits(0.5F),
                           number = rounded(magnitude - (112 << 23), 13);
        const Halide::Expr large = select(magnitude > 0x7f800000, Halide::Expr(0x7e00U), Halide::Expr(0x7c00U));
        const Halide::Expr half =
            select(magnitude < bits(std::ldexp(1.F, -14)), tiny, magnitude < bits(65536.F), number, large);
        return Halide::cast<uint16_t>(half | ((all >> 16) & 0x8000));
    }
};

}  // namespace unstride

#endif
