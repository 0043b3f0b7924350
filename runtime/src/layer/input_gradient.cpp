// ConvTranspose::input_gradient.

#include <optional>

#include "checks/checks.h"
#include "kernels/devices.h"
#include "layer/layer.h"

namespace unstride {

void ConvTranspose::State::input_gradient(const View<const void> &grad_output, const View<void> &grad_input,
                                          Update update, const CudaStream *cuda) const {
    const auto [geometry, layout] = check_input_gradient(
        options, grad_output, grad_input, forced_layout(Operator::input_gradient).value_or(Layout::ncdhw), spatial,
        cuda != nullptr ? Strides::of_layout : Strides::any);
    check_item_of(device, geometry);
    if (cuda != nullptr) {
        check_on_cuda(device);
    }
    Problem problem = problem_of(Operator::input_gradient, geometry, layout, {grad_output.dtype, grad_input.dtype});
    if (geometry.batch == 0) {
        return;
    }
    // What is in the memory of the gradient is added as a residual, where it is not to be replaced.
    const View<const void> so_far = grad_input;
    if (device != Device::cpu && cuda == nullptr) {
        run_through_copies(problem, grad_output, grad_input, update == Update::accumulate ? &so_far : nullptr);
        return;
    }
    const Array output(device, grad_input, spatial, options.groups);
    const Arrays arrays{Array(device, grad_output, spatial, options.groups), output,
                        update == Update::accumulate ? std::optional(output) : std::nullopt};
    problem.conditions.aligned = device == Device::cpu || arrays.input.is_aligned(4);
    run(problem, arrays, cuda != nullptr ? stream_on(device, *cuda) : Stream{});
}

void ConvTranspose::input_gradient(const View<const void> &grad_output, const View<void> &grad_input,
                                   Update update) const {
    state_->input_gradient(grad_output, grad_input, update, nullptr);
}

void ConvTranspose::input_gradient(const View<const void> &grad_output, const View<void> &grad_input, Update update,
                                   CudaStream stream) const {
    state_->input_gradient(grad_output, grad_input, update, &stream);
}

}  // namespace unstride
