// ConvTranspose::weight_gradient.

#include "plan/weight_gradient.h"
#include "checks/checks.h"
#include "device/machine.h"
#include "layer/layer.h"
#include "run/weight_gradient.h"
#include "unstride/error.h"

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
    const WeightGradientProgram program = decide_weight_gradient(options, problem, untimed_machine(problem.threads),
                                                                 forced_for(Operator::weight_gradient));
    compute_weight_gradient(program, problem, Array(device, input, spatial, options.groups),
                            Array(device, grad_output, spatial, options.groups),
                            with_three_dimensions(grad_weight, spatial), update);
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
