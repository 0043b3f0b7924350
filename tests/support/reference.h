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

// An output, and the input that a tap of it reads.
struct Meeting {
    int64_t output, input;
};

// For each tap along a dimension, the outputs with an input under it. They are worked out ahead, as most of the
// reference's time would go into them.
inline std::vector<std::vector<Meeting>> meetings_of_taps(const ConvTranspose3dOptions &p, int d, int64_t outputs,
                                                          int64_t extent) {
    std::vector<std::vector<Meeting>> meetings(static_cast<size_t>(p.kernel_size[d]));
    for (int64_t k = 0; k < p.kernel_size[d]; k++) {
        for (int64_t o = 0; o < outputs; o++) {
            const int64_t i = input_under_tap(p, d, o, k, extent);
            if (i >= 0) {
                meetings[static_cast<size_t>(k)].push_back({o, i});
            }
        }
    }
    return meetings;
}

// Computes a layer. `input`, `weight` and `bias` are dense in PyTorch's order; an empty bias is none.
template<typename T>
Reference reference(const ConvTranspose3dOptions &p, const Shape &in, const std::vector<T> &input,
                    const std::vector<T> &weight, const std::vector<T> &bias) {
    Reference r{reference_shape(p, in), {}, {}};
    const int64_t group_in = p.in_channels / p.groups, group_out = p.out_channels / p.groups;
    const int64_t volume = in[2] * in[3] * in[4], out_volume = r.sizes[2] * r.sizes[3] * r.sizes[4];
    const auto z = meetings_of_taps(p, 0, r.sizes[2], in[2]);
    const auto y = meetings_of_taps(p, 1, r.sizes[3], in[3]);
    const auto x = meetings_of_taps(p, 2, r.sizes[4], in[4]);
    // Adds what an input channel gives to an output channel, tap by tap, which have these weights.
    const auto add = [&](const T *taps, const T *from, double *sums, double *magnitudes) {
        for (const std::vector<Meeting> &tap_z : z) {
            for (const std::vector<Meeting> &tap_y : y) {
                for (const std::vector<Meeting> &tap_x : x) {
                    const double w = *taps++;
                    for (const Meeting &at_z : tap_z) {
                        for (const Meeting &at_y : tap_y) {
                            const T *row = from + (at_z.input * in[3] + at_y.input) * in[4];
                            const int64_t to = (at_z.output * r.sizes[3] + at_y.output) * r.sizes[4];
                            for (const Meeting &at : tap_x) {
                                const double term = w * row[at.input];
                                sums[to + at.output] += term;
                                magnitudes[to + at.output] += std::abs(term);
                            }
                        }
                    }
                }
            }
        }
    };
    const auto taps = static_cast<int64_t>(z.size() * y.size() * x.size());
    for (int64_t n = 0; n < r.sizes[0]; n++) {
        for (int64_t c = 0; c < r.sizes[1]; c++) {
            const double start = bias.empty() ? 0 : bias[static_cast<size_t>(c)];
            const size_t at = r.values.size();
            r.values.resize(at + static_cast<size_t>(out_volume), start);
            r.magnitudes.resize(at + static_cast<size_t>(out_volume), std::abs(start));
            const int64_t first = c / group_out * group_in;
            for (int64_t ci = first; ci < first + group_in; ci++) {
                add(weight.data() + (ci * group_out + c % group_out) * taps,
                    input.data() + (n * p.in_channels + ci) * volume, r.values.data() + at, r.magnitudes.data() + at);
            }
        }
    }
    return r;
}

}  // namespace unstride::tests

#endif
