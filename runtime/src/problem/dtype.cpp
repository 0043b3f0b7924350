#include "unstride/dtype.h"

#include <cmath>
#include <cstring>

namespace unstride {
namespace {

template<typename To, typename From>
To bits_of(From from) {
    static_assert(sizeof(To) == sizeof(From));
    To to;
    std::memcpy(&to, &from, sizeof(to));
    return to;
}

// Returns the bits without the last `dropped` ones, rounded to nearest, with ties to even.
uint32_t rounded(uint32_t bits, int dropped) {
    const uint32_t almost_half = (1U << (dropped - 1)) - 1;
    return (bits + almost_half + ((bits >> dropped) & 1)) >> dropped;
}

}  // namespace

const char *to_string(DType dtype) {
    switch (dtype) {
    case DType::f32:
        return "f32";
    case DType::f64:
        return "f64";
    case DType::f16:
        return "f16";
    case DType::bf16:
        return "bf16";
    }
    return "";
}

int64_t size_of(DType dtype) {
    switch (dtype) {
    case DType::f64:
        return 8;
    case DType::f32:
        return 4;
    case DType::f16:
    case DType::bf16:
        break;
    }
    return 2;
}

std::string to_string(const Types &types) {
    return types.input == types.output ? to_string(types.input)
                                       : std::string(to_string(types.input)) + "-" + to_string(types.output);
}

// The array is a constant, which exists before any constructor runs and after all destructors have run, as an app may
// compute in the constructors and destructors of its static objects.
const std::array<Types, 6> &supported_types() {
    static constexpr std::array<Types, 6> all = {
        DType::f32, DType::f64, DType::f16, DType::bf16, Types(DType::f16, DType::f32), Types(DType::bf16, DType::f32)};
    return all;
}

Half::Half(float value) {
    const auto all = bits_of<uint32_t>(value), magnitude = all & 0x7fffffff;
    const float number = std::abs(value);
    uint32_t half = 0x7c00;
    if (std::isnan(value)) {
        half = 0x7e00;
    } else if (number < std::ldexp(1.F, -14)) {
        // An f16 this small is a multiple of 2^-24. To that the addition of 1/2 rounds, as it is an ulp of 1/2 in f32.
        half = bits_of<uint32_t>(number + 0.5F) - bits_of<uint32_t>(0.5F);
    } else if (number < 65536) {
        half = rounded(magnitude - (112U << 23), 13);  // the bias of exponents is 15 in f16, and 127 in f32
    }
    bits = static_cast<uint16_t>(half | ((all >> 16) & 0x8000));
}

Half::operator float() const {
    const uint32_t magnitude = bits & 0x7fff;
    uint32_t number = 0;
    if (magnitude < 0x400) {  // zero or subnormal: a multiple of 2^-24
        number = bits_of<uint32_t>(std::ldexp(static_cast<float>(magnitude), -24));
    } else if (magnitude < 0x7c00) {  // normal
        number = (magnitude << 13) + (112U << 23);
    } else {  // infinity or NaN, whose exponent is all ones
        number = (magnitude << 13) + (224U << 23);
    }
    return bits_of<float>(number | static_cast<uint32_t>(bits & 0x8000) << 16);
}

BFloat16::BFloat16(float value) {
    const auto all = bits_of<uint32_t>(value);
    bits = static_cast<uint16_t>(std::isnan(value) ? all >> 16 | 0x40 : rounded(all, 16));
}

BFloat16::operator float() const {
    return bits_of<float>(static_cast<uint32_t>(bits) << 16);
}

}  // namespace unstride
