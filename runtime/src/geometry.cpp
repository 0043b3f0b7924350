#include "geometry.h"

#include <algorithm>
#include <numeric>

namespace unstride {

Axis<int64_t> make_axis(int64_t stride, int64_t dilation, int64_t padding) {
    const int64_t common = std::gcd(stride, dilation), modulus = stride / common;
    const int64_t factor = dilation / common % modulus;  // NOLINT(clang-analyzer-core.DivideZero): stride is a multiple of common
    // Extended Euclid: on return `inverse` * factor = 1 modulo `modulus`; for modulus 1 it is 0.
    int64_t a = factor, b = modulus, inverse = 1, other = 0;
    while (b != 0) {
        const int64_t quotient = a / b;
        std::swap(a -= quotient * b, b);
        std::swap(inverse -= quotient * other, other);
    }
    inverse = ((inverse % modulus) + modulus) % modulus;
    return {stride, dilation, common, inverse, padding};
}

int64_t Geometry::input_elements() const {
    return batch * channels.groups * channels.inputs * extent[0].input * extent[1].input * extent[2].input;
}

int64_t Geometry::output_elements() const {
    return batch * channels.groups * channels.outputs * extent[0].output * extent[1].output * extent[2].output;
}

int64_t Geometry::weight_elements() const {
    return channels.groups * channels.inputs * channels.outputs * extent[0].kernel * extent[1].kernel * extent[2].kernel;
}

double Geometry::multiply_adds() const {
    double result = static_cast<double>(batch * channels.groups) * static_cast<double>(channels.inputs * channels.outputs);
    for (const Extent &e : extent) {
        // Tap k meets an output wherever 0 <= i * stride - padding + k * dilation < output, for inputs 0 <= i < input.
        int64_t pairs = 0;
        for (int64_t k = 0; k < e.kernel; k++) {
            const int64_t offset = k * e.axis.dilation - e.axis.padding;
            const int64_t first = offset >= 0 ? 0 : (-offset + e.axis.stride - 1) / e.axis.stride;
            const int64_t last = e.output - 1 - offset < 0 ? -1 : (e.output - 1 - offset) / e.axis.stride;
            pairs += std::max<int64_t>(0, std::min(last, e.input - 1) - first + 1);
        }
        result *= static_cast<double>(pairs);
    }
    return result;
}

}  // namespace unstride
