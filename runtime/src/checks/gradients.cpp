#include "checks/checks.h"
#include "checks/texts.h"
#include "checks/views.h"

namespace unstride {
namespace {

// Returns the geometry of a call whose arrays have the sizes of the layer's input and output. Messages of PyTorch's say
// input for an array of its sizes, which may be grad_input.
Geometry check_sizes_of_both(const ConvTranspose3dOptions &options, const Shape &input, const Shape &grad_output,
                             int spatial) {
    if (input.size() != grad_output.size()) {
        fail("Expected input and grad_output to have the same number of dimensions, but got: " +
             std::to_string(input.size()) + " and " + std::to_string(grad_output.size()));
    }
    const Geometry geometry = resolve_output(options, input, grad_output, spatial, "grad_output");
    check_shape("grad_output", grad_output, shape_of_output(geometry, input.size(), spatial));
    return geometry;
}

}  // namespace

GradientCall check_input_gradient(const ConvTranspose3dOptions &options, const View<const void> &grad_output,
                                  const View<void> &grad_input, Layout preferred, int spatial, Strides strides) {
    const Geometry geometry = check_sizes_of_both(options, grad_input.sizes, grad_output.sizes, spatial);
    const View<const void> written = grad_input;
    const NamedView from{"grad_output", grad_output}, to{"grad_input", written};
    check_view(from, spatial, strides);
    check_view(to, spatial, strides);
    check_types({grad_output.dtype, grad_input.dtype}, from.name, to.name);
    check_distinct(to);
    check_apart(from, to);
    return {geometry, common_layout({from, to}, preferred, spatial, strides)};
}

GradientCall check_weight_gradient(const ConvTranspose3dOptions &options, const View<const void> &input,
                                   const View<const void> &grad_output, const View<void> &grad_weight, Layout preferred,
                                   int spatial, Strides strides) {
    const Geometry geometry = check_sizes_of_both(options, input.sizes, grad_output.sizes, spatial);
    const View<const void> written = grad_weight;
    const NamedView inputs{"input", input}, outputs{"grad_output", grad_output}, to{"grad_weight", written};
    check_shape(to.name, grad_weight.sizes, weight_shape(options, spatial));
    check_view(inputs, spatial, strides);
    check_view(outputs, spatial, strides);
    check_strided(to, strides);
    if (input.dtype != grad_output.dtype) {
        fail(std::string("input and grad_output must have the same type, but got ") + to_string(input.dtype) + " and " +
             to_string(grad_output.dtype));
    }
    check_types({input.dtype, grad_weight.dtype}, inputs.name, to.name);
    check_distinct(to);
    check_apart(inputs, to);
    check_apart(outputs, to);
    return {geometry, common_layout({inputs, outputs}, preferred, spatial, strides)};
}

GradientCall check_bias_gradient(const ConvTranspose3dOptions &options, const View<const void> &grad_output,
                                 const View<void> &grad_bias, Layout preferred, int spatial, Strides strides) {
    const Geometry geometry = resolve_grad_output(options, grad_output.sizes, spatial);
    const View<const void> written = grad_bias;
    const NamedView from{"grad_output", grad_output}, to{"grad_bias", written};
    check_shape(to.name, grad_bias.sizes, {options.out_channels});
    check_view(from, spatial, strides);
    check_strided(to, strides);
    check_types({grad_output.dtype, grad_bias.dtype}, from.name, to.name);
    check_distinct(to);
    check_apart(from, to);
    return {geometry, common_layout({from}, preferred, spatial, strides)};
}

}  // namespace unstride
