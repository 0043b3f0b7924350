#ifndef UNSTRIDE_TESTS_INPUT_GRADIENT_CASE_H
#define UNSTRIDE_TESTS_INPUT_GRADIENT_CASE_H

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "support/catch_compat.h"
#include "support/gradient_reference.h"
#include "support/harness.h"

namespace unstride::tests {

// A layer, the gradient of its output, and the gradient of its input to expect.
struct GradientCase {
    ConvTranspose3dOptions options;
    Types types;
    Data data;
    Shape input_shape, output_shape;
    std::vector<double> weight, grad_output;
    Reference expected;

    GradientCase(const ConvTranspose3dOptions &layer_options, const Shape &input, Data kind, uint32_t seed,
                 const Types &of_call = {})
        : options(layer_options), types(of_call), data(kind), input_shape(input),
          output_shape(reference_shape(options, input)) {
        std::mt19937 random(seed);
        const Triple &k = options.kernel_size;
        weight = make_data<double>(options.in_channels * options.out_channels / options.groups * k[0] * k[1] * k[2],
                                   data, random, types.input);
        grad_output = make_data<double>(element_count(output_shape), data, random, types.input);
        expected = reference_input_gradient(options, input_shape, grad_output, weight);
    }

    ConvTranspose3d layer() const {
        ConvTranspose3d made(options);
        made.set_weight(weight.data(), made.weight_shape());
        made.set_device(tested_device());
        return made;
    }

    Tensor grad_output_as(Layout layout) const {
        Tensor tensor(output_shape, layout, 3, types.input);
        copy_into(tensor.view<void>(), grad_output);
        return tensor;
    }

    // An array for the gradient, which holds `number` everywhere.
    Tensor grad_input_of(Layout layout, double number) const {
        Tensor tensor(input_shape, layout, 3, types.output);
        copy_into(tensor.view<void>(), std::vector<double>(expected.values.size(), number));
        return tensor;
    }

    // "none" if each element is what is expected plus `added`, within the rounding of its type where sums are of reals;
    // else a line about the first that is not.
    std::string mismatch(const View<const void> &got, double added = 0) const {
        const std::vector<double> values = numbers_of(got);
        const double most = *std::max_element(expected.magnitudes.begin(), expected.magnitudes.end()) + std::abs(added);
        const bool is_f64 = types.sums() == DType::f64;
        const double epsilon = is_f64 ? std::numeric_limits<double>::epsilon() : std::numeric_limits<float>::epsilon();
        const double bound = data == Data::integers ? 0 : 4 * epsilon * most;
        for (size_t i = 0; i < values.size(); i++) {
            const double wanted = expected.values[i] + added;
            const double low = rounded(types.output, wanted - bound), high = rounded(types.output, wanted + bound);
            if (!(values[i] >= low && values[i] <= high)) {
                return "element " + std::to_string(i) + " is " + std::to_string(values[i]) + " instead of " +
                       std::to_string(wanted) + " +- " + std::to_string(bound);
            }
        }
        return "none";
    }
};

inline void check_call(const ConvTranspose3d &layer, const GradientCase &c, Layout layout) {
    const Tensor grad_output = c.grad_output_as(layout);
    Tensor replaced = c.grad_input_of(layout, std::numeric_limits<double>::quiet_NaN()),
           added_to = c.grad_input_of(layout, 5);
    layer.input_gradient(grad_output.view<void>(), replaced.view<void>());
    CHECK(c.mismatch(replaced.view<void>()) == "none");
    layer.input_gradient(grad_output.view<void>(), added_to.view<void>(), Update::accumulate);
    CHECK(c.mismatch(added_to.view<void>(), 5) == "none");
}

// The numbers of a gradient of reals in f32.
inline std::vector<float> gradient_of(const ConvTranspose3d &layer, const GradientCase &c, Layout layout) {
    Tensor grad_input = c.grad_input_of(layout, std::numeric_limits<double>::quiet_NaN());
    const Tensor grad_output = c.grad_output_as(layout);
    layer.input_gradient(grad_output.view<void>(), grad_input.view<void>());
    return dense_copy(grad_input);
}

}  // namespace unstride::tests

#endif
