// ConvTranspose::bias_gradient.

#include "checks/checks.h"
#include "layer/layer.h"

namespace unstride {

void ConvTranspose::State::bias_gradient(const View<const void> &grad_output, const View<void> &grad_bias,
                                         Update /*update*/, const CudaStream * /*cuda*/) const {
    check_bias_gradient(options, grad_output, grad_bias, forced_layout(Operator::bias_gradient).value_or(Layout::ncdhw),
                        spatial);
    throw KernelError("bias_gradient is not there yet");
}

void ConvTranspose::bias_gradient(const View<const void> &grad_output, const View<void> &grad_bias,
                                  Update update) const {
    state_->bias_gradient(grad_output, grad_bias, update, nullptr);
}

void ConvTranspose::bias_gradient(const View<const void> &grad_output, const View<void> &grad_bias, Update update,
                                  CudaStream stream) const {
    state_->bias_gradient(grad_output, grad_bias, update, &stream);
}

}  // namespace unstride
