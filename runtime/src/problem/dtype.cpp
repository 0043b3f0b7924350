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

// Without so many of the last bits, rounded to nearest, ties to even.
uint32_t rounded(uint32_t bits, int dropped) {
    const uint32_t almost_half = (1U << (dropped - 1)) - 1;
    return (bits + almost_half + ((bits >> dropped) & 1)) >> dropped;
}

}  // namespace

const char *to_string(DType dtype) {
    constexpr const char *names[] = {"f32", "f64", "f16", "bf16"};
    return names[static_cast<int>(dtype)];
}

int64_t size_of(DType dtype) {
    return dtype == DType::f64 ? 8 : dtype == DType::f32 ? 4 : 2;
}

std::string to_string(const Types &types) {
    return types.input == types.output ? to_string(types.input)
                                       : std::string(to_string(types.input)) + "-" + to_string(types.output);
}

// A constant, which is there before any constructor runs and after all destructors did: an app may compute in either.
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
    } else if (number < std::ldexp(1.F, -14)) {  // a multiple of 2^-24, to which the addition of 1/2 rounds
        half = bits_of<uint32_t>(number + 0.5F) - bits_of<uint32_t>(0.5F);
    } else if (number < 65536) {
        half = rounded(magnitude - (112U << 23), 13);  // exponents begin at -15, not at -127
    }
    bits = static_cast<uint16_t>(half | ((all >> 16) & 0x8000));
}

Half::operator float() const {
    const uint32_t magnitude = bits & 0x7fff;
    const float tiny = std::ldexp(static_cast<float>(magnitude), -24);
    const uint32_t number =
        magnitude < 0x400 ? bits_of<uint32_t>(tiny) : (magnitude << 13) + ((magnitude < 0x7c00 ? 112U : 224U) << 23);
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
