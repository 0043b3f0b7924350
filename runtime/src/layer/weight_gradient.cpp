// ConvTranspose::weight_gradient.

#include "checks/checks.h"
#include "layer/layer.h"

namespace unstride {

void ConvTranspose::State::weight_gradient(const View<const void> &input, const View<const void> &grad_output,
                                           const View<void> &grad_weight, Update /*update*/,
                                           const CudaStream * /*cuda*/) const {
    check_weight_gradient(options, input, grad_output, grad_weight,
                          forced_layout(Operator::weight_gradient).value_or(Layout::ncdhw), spatial);
    throw KernelError("weight_gradient is not there yet");
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
