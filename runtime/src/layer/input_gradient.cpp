// ConvTranspose::input_gradient.

#include "checks/checks.h"
#include "layer/layer.h"

namespace unstride {

void ConvTranspose::State::input_gradient(const View<const void> &grad_output, const View<void> &grad_input,
                                          Update /*update*/, const CudaStream * /*cuda*/) const {
    check_input_gradient(options, grad_output, grad_input,
                         forced_layout(Operator::input_gradient).value_or(Layout::ncdhw), spatial);
    throw KernelError("input_gradient is not there yet");
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
