// ConvTranspose::weight_gradient.

#include "run/weight_gradient.h"

#include "checks/checks.h"
#include "kernels/devices.h"
#include "layer/layer.h"
#include "layer/transfer.h"
#include "problem/checked.h"
#include "problem/views.h"
#include "run/weight_gradient_gpu.h"
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

// Computes the gradient of arrays in the process's memory on a GPU. Both are (N, C, D, H, W).
void compute_through_copies(const Part &part, const Problem &problem, const View<const void> &input,
                            const View<const void> &grad_output, const View<void> &grad_weight, Update update) {
    const Stream stream = stream_on(problem.device);
    ProductsOnGpu products(part, problem, stream);
    DeviceArray in(stream, product(input.sizes), input.dtype), out(stream, product(grad_output.sizes), input.dtype);
    upload(input, problem.layout, in);
    upload(grad_output, problem.layout, out);
    const int64_t groups = problem.geometry.channels.groups;
    products.sum(Array(in, input.dtype, input.sizes, problem.layout, groups),
                 Array(out, input.dtype, grad_output.sizes, problem.layout, groups));
    products.store_in_process(grad_weight, update);
}

}  // namespace

void ConvTranspose::State::weight_gradient(const View<const void> &input, const View<const void> &grad_output,
                                           const View<void> &grad_weight, Update update, const CudaStream *cuda) const {
    const GradientCall call = check_weight_gradient(options, input, grad_output, grad_weight,
                                                    forced_layout(Operator::weight_gradient).value_or(Layout::ncdhw),
                                                    spatial, cuda != nullptr ? Strides::of_layout : Strides::any);
    check_item_of(device, call.geometry);
    if (cuda != nullptr) {
        check_on_cuda(device);
    }
    const Problem problem =
        problem_of(Operator::weight_gradient, call.geometry, call.layout, {input.dtype, grad_weight.dtype});
    const View<void> weights = with_three_dimensions(grad_weight, spatial);
    const bool through_copies = device != Device::cpu && cuda == nullptr;
    compute(plan_for(problem), problem, Stream{}, [&](const Program &program) {
        const Part &part = program.parts.front();
        if (through_copies) {
            compute_through_copies(part, problem, lifted(input, spatial), lifted(grad_output, spatial), weights,
                                   update);
            return;
        }
        const Array inputs(device, input, spatial, options.groups),
            outputs(device, grad_output, spatial, options.groups);
        if (cuda != nullptr) {
            ProductsOnGpu products(part, problem, stream_on(device, *cuda));
            products.sum(inputs, outputs);
            products.store(weights, update);
            return;
        }
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
