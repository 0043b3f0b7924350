#ifndef UNSTRIDE_TESTS_ACTIVATION_REFERENCE_H
#define UNSTRIDE_TESTS_ACTIVATION_REFERENCE_H

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "unstride/activation.h"

namespace unstride::tests {

// An activation has one slope, or one for each channel.
inline long double slope_of(const Activation &a, size_t channel) {
    return a.slopes[a.slopes.size() == 1 ? 0 : channel];
}

inline long double apply(const Activation &a, long double v, size_t channel) {
    using Kind = Activation::Kind;
    switch (a.kind) {
    case Kind::none:
        return v;
    case Kind::relu:
        return v < 0 ? 0 : v;
    case Kind::leaky_relu:
    case Kind::prelu:
        return v < 0 ? v * slope_of(a, channel) : v;
    case Kind::elu:
        return v < 0 ? a.alpha * std::expm1(v) : v;
    case Kind::silu:
        return v / (1 + std::exp(-v));
    case Kind::gelu:
        return v * std::erfc(-v / std::sqrt(2.0L)) / 2;
    case Kind::gelu_tanh:
        return v / (1 + std::exp(-2 * std::sqrt(2 / 3.14159265358979323846L) * (v + 0.044715L * v * v * v)));
    case Kind::tanh:
        return std::tanh(v);
    case Kind::sigmoid:
        return 1 / (1 + std::exp(-v));
    case Kind::clamp:
        return std::clamp<long double>(v, a.low, a.high);
    }
    return std::numeric_limits<long double>::quiet_NaN();
}

}  // namespace unstride::tests

#endif
