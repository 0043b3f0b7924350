// ConvTranspose::weight_gradient.

#include "run/weight_gradient.h"
#include "checks/checks.h"
#include "layer/layer.h"

namespace unstride {
namespace {

// Returns a view of weights with as many dimensions of space as three, of which the first have one element.
View<void> with_three_dimensions(View<void> weight, int spatial) {
    const auto missing = static_cast<size_t>(3 - spatial);
    weight.sizes.insert(weight.sizes.begin() + 2, missing, 1);
    weight.strides.insert(weight.strides.begin() + 2, missing, 0);
    return weight;
}

}  // namespace

void ConvTranspose::State::weight_gradient(const View<const void> &input, const View<const void> &grad_output,
                                           const View<void> &grad_weight, Update update, const CudaStream *cuda) const {
    const GradientCall call =
        check_weight_gradient(options, input, grad_output, grad_weight,
                              forced_layout(Operator::weight_gradient).value_or(Layout::ncdhw), spatial);
    if (cuda != nullptr && device != Device::cuda) {
        throw InvalidArgument("a CudaStream is for layers on CUDA: see set_device");
    }
    const Problem problem =
        problem_of(Operator::weight_gradient, call.geometry, call.layout, {input.dtype, grad_weight.dtype});
    const Planned planned = plan_for(problem);
    const Array inputs(device, input, spatial, options.groups), outputs(device, grad_output, spatial, options.groups);
    const View<void> weights = with_three_dimensions(grad_weight, spatial);
    compute(planned, problem, Stream{}, [&](const Program &program) {
        const Part &part = program.parts.front();
        compute_weight_gradient(weight_gradient_program(*part.entry, problem.geometry, part.split), problem, inputs,
                                outputs, weights, update);
    });
}

void ConvTranspose::weight_gradient(const View<const void> &input, const View<const void> &grad_output,
                                    const View<void> &grad_weight, Update update) const {
    state_->weight_gradient(input, grad_output, grad_weight, update, nullptr);
}

void ConvTranspose::weight_gradient(const View<const void> &input, const View<const void> &grad_output,
                                    const View<void> &grad_weight, Update update, CudaStream stream) const {
    state_->weight_gradient(input, grad_output, grad_weight, update, &stream);
}

}  // namespace unstride
