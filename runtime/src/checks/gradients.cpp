#include "checks/checks.h"
#include "checks/texts.h"
#include "problem/checked.h"

namespace unstride {

GradientCall check_input_gradient(const ConvTranspose3dOptions &options, const View<const void> &grad_output,
                                  const View<void> &grad_input, Layout preferred, int spatial) {
    const Geometry geometry = resolve_output(options, grad_input.sizes, grad_output.sizes, spatial);
    return {geometry, check_views(grad_output, grad_input, nullptr, grad_input.sizes, preferred, spatial)};
}

GradientCall check_weight_gradient(const ConvTranspose3dOptions &options, const View<const void> &input,
                                   const View<const void> &grad_output, const View<void> &grad_weight, Layout preferred,
                                   int spatial) {
    const Geometry geometry = resolve_output(options, input.sizes, grad_output.sizes, spatial);
    check_output_shape(grad_weight.sizes, weight_shape(options, spatial));
    const View<void> as_output{const_cast<void *>(grad_output.data), grad_output.dtype, grad_output.sizes,
                               grad_output.strides, grad_output.spatial};
    return {geometry, check_views(input, as_output, nullptr, grad_output.sizes, preferred, spatial)};
}

GradientCall check_bias_gradient(const ConvTranspose3dOptions &options, const View<const void> &grad_output,
                                 const View<void> &grad_bias, Layout preferred, int spatial) {
    check_output_shape(grad_bias.sizes, {options.out_channels});
    Shape sizes = grad_output.sizes;
    if (sizes.size() == static_cast<size_t>(spatial) + 1) {
        sizes.insert(sizes.begin(), 1);
    }
    sizes.insert(sizes.begin() + 2, static_cast<size_t>(3 - spatial), 1);
    Geometry geometry{
        sizes[0], {options.groups, options.in_channels / options.groups, options.out_channels / options.groups}, {}};
    for (size_t d = 0; d < 3; d++) {
        geometry.extent[d] = {sizes[d + 2], sizes[d + 2], 1, make_axis(1, 1, 0)};
    }
    return {geometry, check_input(grad_output, preferred, spatial)};
}

}  // namespace unstride
