#ifndef UNSTRIDE_TESTS_REFERENCE_H
#define UNSTRIDE_TESTS_REFERENCE_H

#include <cmath>
#include <cstdint>
#include <vector>

#include "unstride/unstride.h"

namespace unstride::tests {

// What everything is checked against: every tap of every output is asked whether an input lies under it. There are no
// phases and no first taps: it has nothing in common with the library's arithmetic.
struct Reference {
    Shape sizes;                     // (N, C_out, D', H', W')
    std::vector<double> values;      // dense, in that order
    std::vector<double> magnitudes;  // |bias| + sum of |weight * input|, for the error bound of each value
};

// The output's shape, by the documented formula. `input` is (N, C_in, D, H, W).
inline Shape reference_shape(const ConvTranspose3dOptions &o, const Shape &input) {
    Shape sizes{input[0], o.out_channels};
    for (int d = 0; d < 3; d++) {
        const int64_t padding = o.padding[d] + o.padding_end.value_or(o.padding)[d];
        sizes.push_back((input[2 + d] - 1) * o.stride[d] - padding + o.dilation[d] * (o.kernel_size[d] - 1) +
                        o.output_padding[d] + 1);
    }
    return sizes;
}

// The input that tap k of output o reads, or -1 if there is none.
inline int64_t input_under_tap(const ConvTranspose3dOptions &p, int d, int64_t o, int64_t k, int64_t extent) {
    const int64_t c = o + p.padding[d] - k * p.dilation[d];
    return c % p.stride[d] == 0 && c >= 0 && c / p.stride[d] < extent ? c / p.stride[d] : -1;
}

// The inputs under all taps of all outputs along a dimension, output by output. They are worked out ahead, as most of
// the reference's time would go into them.
inline std::vector<int64_t> inputs_under_taps(const ConvTranspose3dOptions &p, int d, int64_t outputs, int64_t extent) {
    std::vector<int64_t> inputs;
    for (int64_t o = 0; o < outputs; o++) {
        for (int64_t k = 0; k < p.kernel_size[d]; k++) {
            inputs.push_back(input_under_tap(p, d, o, k, extent));
        }
    }
    return inputs;
}

// Computes a layer. `input`, `weight` and `bias` are dense in PyTorch's order; an empty bias is none.
template<typename T>
Reference reference(const ConvTranspose3dOptions &p, const Shape &in, const std::vector<T> &input,
                    const std::vector<T> &weight, const std::vector<T> &bias) {
    Reference r{reference_shape(p, in), {}, {}};
    const int64_t group_in = p.in_channels / p.groups, group_out = p.out_channels / p.groups;
    const int64_t taps = p.kernel_size[0] * p.kernel_size[1] * p.kernel_size[2], volume = in[2] * in[3] * in[4];
    const std::vector<int64_t> under_z = inputs_under_taps(p, 0, r.sizes[2], in[2]);
    const std::vector<int64_t> under_y = inputs_under_taps(p, 1, r.sizes[3], in[3]);
    const std::vector<int64_t> under_x = inputs_under_taps(p, 2, r.sizes[4], in[4]);
    const auto output = [&](int64_t n, int64_t c, int64_t z, int64_t y, int64_t x) {
        double sum = bias.empty() ? 0 : bias[c], magnitude = std::abs(sum);
        const int64_t first = c / group_out * group_in;
        for (int64_t tap = 0; tap < taps; tap++) {
            const int64_t kx = tap % p.kernel_size[2], kyz = tap / p.kernel_size[2];
            const int64_t iz = under_z[z * p.kernel_size[0] + kyz / p.kernel_size[1]];
            const int64_t iy = under_y[y * p.kernel_size[1] + kyz % p.kernel_size[1]];
            const int64_t ix = under_x[x * p.kernel_size[2] + kx];
            for (int64_t ci = first; ci < first + group_in && iz >= 0 && iy >= 0 && ix >= 0; ci++) {
                const double term = double(weight[(ci * group_out + c % group_out) * taps + tap]) *
                                    input[(n * p.in_channels + ci) * volume + (iz * in[3] + iy) * in[4] + ix];
                sum += term;
                magnitude += std::abs(term);
            }
        }
        r.values.push_back(sum);
        r.magnitudes.push_back(magnitude);
    };
    for (int64_t n = 0; n < r.sizes[0]; n++) {
        for (int64_t c = 0; c < r.sizes[1]; c++) {
            for (int64_t z = 0; z < r.sizes[2]; z++) {
                for (int64_t y = 0; y < r.sizes[3]; y++) {
                    for (int64_t x = 0; x < r.sizes[4]; x++) {
                        output(n, c, z, y, x);
                    }
                }
            }
        }
    }
    return r;
}

}  // namespace unstride::tests

#endif
