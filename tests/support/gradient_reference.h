#ifndef UNSTRIDE_TESTS_GRADIENT_REFERENCE_H
#define UNSTRIDE_TESTS_GRADIENT_REFERENCE_H

#include <cmath>
#include <cstdint>
#include <vector>

#include "support/reference.h"
#include "unstride/unstride.h"

namespace unstride::tests {

// What gradients are checked against. An input and a weight meet in an output, where that exists: each such triple is
// visited once, and adds its product to where the gradient is wanted.
//
// `input` is (N, C_in, D, H, W), with all of these also for layers of fewer dimensions. All arrays are dense in
// PyTorch's order. `magnitudes` of a Reference are here the sums of |product|.

// Calls visit(i, w, o) with the places of an input, a weight and an output, for all triples that meet.
template<typename Visit>
void for_each_meeting(const ConvTranspose3dOptions &p, const Shape &in, const Visit &visit) {
    const Shape out = reference_shape(p, in);
    const Triple &kernel = p.kernel_size;
    const int64_t group_in = p.in_channels / p.groups, group_out = p.out_channels / p.groups;
    const int64_t inputs = in[0] * in[1] * in[2] * in[3] * in[4];
    const auto output_at = [&](int d, int64_t i, int64_t k) {
        return i * p.stride[d] - p.padding[d] + k * p.dilation[d];
    };
    const auto exists = [&](int d, int64_t o) { return o >= 0 && o < out[size_t(d) + 2]; };
    for (int64_t i = 0; i < inputs; i++) {
        const int64_t ix = i % in[4], iy = i / in[4] % in[3], iz = i / in[4] / in[3] % in[2];
        const int64_t c = i / in[4] / in[3] / in[2] % in[1], n = i / in[4] / in[3] / in[2] / in[1];
        for (int64_t kz = 0; kz < kernel[0]; kz++) {
            for (int64_t ky = 0; ky < kernel[1]; ky++) {
                for (int64_t kx = 0; kx < kernel[2]; kx++) {
                    const int64_t oz = output_at(0, iz, kz), oy = output_at(1, iy, ky), ox = output_at(2, ix, kx);
                    const bool all_exist = exists(0, oz) && exists(1, oy) && exists(2, ox);
                    for (int64_t co = 0; all_exist && co < group_out; co++) {
                        const int64_t w = (((c * group_out + co) * kernel[0] + kz) * kernel[1] + ky) * kernel[2] + kx;
                        const int64_t channel = c / group_in * group_out + co;
                        visit(i, w, (((n * out[1] + channel) * out[2] + oz) * out[3] + oy) * out[4] + ox);
                    }
                }
            }
        }
    }
}

inline Reference zero_reference(const Shape &sizes) {
    int64_t count = 1;
    for (int64_t size : sizes) {
        count *= size;
    }
    const std::vector<double> zeros(static_cast<size_t>(count), 0.0);
    return {sizes, zeros, zeros};
}

inline void add_term(Reference &reference, int64_t at, double term) {
    reference.values[size_t(at)] += term;
    reference.magnitudes[size_t(at)] += std::abs(term);
}

// The gradient with respect to the input, which has the input's shape.
template<typename T>
Reference reference_input_gradient(const ConvTranspose3dOptions &options, const Shape &input_shape,
                                   const std::vector<T> &grad_output, const std::vector<T> &weight) {
    Reference gradient = zero_reference(input_shape);
    for_each_meeting(options, input_shape, [&](int64_t i, int64_t w, int64_t o) {
        add_term(gradient, i, double(weight[size_t(w)]) * double(grad_output[size_t(o)]));
    });
    return gradient;
}

// The gradient with respect to the weights: (C_in, C_out / groups, KD, KH, KW).
template<typename T>
Reference reference_weight_gradient(const ConvTranspose3dOptions &options, const Shape &input_shape,
                                    const std::vector<T> &input, const std::vector<T> &grad_output) {
    const Triple &kernel = options.kernel_size;
    Reference gradient =
        zero_reference({options.in_channels, options.out_channels / options.groups, kernel[0], kernel[1], kernel[2]});
    for_each_meeting(options, input_shape, [&](int64_t i, int64_t w, int64_t o) {
        add_term(gradient, w, double(input[size_t(i)]) * double(grad_output[size_t(o)]));
    });
    return gradient;
}

// The gradient with respect to the bias: (C_out). `output_shape` is (N, C_out, D', H', W').
template<typename T>
Reference reference_bias_gradient(const ConvTranspose3dOptions &options, const Shape &output_shape,
                                  const std::vector<T> &grad_output) {
    Reference gradient = zero_reference({options.out_channels});
    const int64_t volume = output_shape[2] * output_shape[3] * output_shape[4];
    for (size_t o = 0; o < grad_output.size(); o++) {
        add_term(gradient, int64_t(o) / volume % options.out_channels, double(grad_output[o]));
    }
    return gradient;
}

}  // namespace unstride::tests

#endif
