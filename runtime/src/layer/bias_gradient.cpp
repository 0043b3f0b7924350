// ConvTranspose::bias_gradient.

#include <algorithm>

#include "checks/checks.h"
#include "kernels/devices.h"
#include "layer/layer.h"
#include "layer/transfer.h"
#include "problem/views.h"
#include "run/bias_gradient.h"

namespace unstride {
namespace {

// Calls add(first, count) for as many items of the batch at a time as fit.
template<typename Add>
void for_items(int64_t batch, int64_t most, const Add &add) {
    for (int64_t first = 0; first < batch; first += most) {
        add(first, std::min(most, batch - first));
    }
}

// Adds up an array in the memory of the process, for the CPU, or of CUDA.
void add(PositionSums &sums, const Array &array) {
    const int64_t batch = array.extent(Array::item);
    for_items(batch, sums.items_of_call(array.stride(Array::item)), [&](int64_t first, int64_t count) {
        Array::Window window = array.whole();
        window[Array::item] = {first, 1, count};
        sums.add(array.window(window), first);
    });
}

// Adds up an array in the memory of the process on a GPU, through copies of some items at a time.
void add_through_copies(PositionSums &sums, const View<const void> &view, Layout layout, const Stream &stream) {
    const Shape &sizes = view.sizes;
    for_items(sizes[0], sums.items_of_call(0), [&](int64_t first, int64_t count) {
        const View<const void> items = items_of(view, first, count);
        DeviceArray copy(stream, product(items.sizes), view.dtype);
        upload(items, layout, copy);
        sums.add(Array(copy, view.dtype, items.sizes, layout, 1), first);
        copy.synchronize();
    });
}

}  // namespace

void ConvTranspose::State::bias_gradient(const View<const void> &grad_output, const View<void> &grad_bias,
                                         Update update, const CudaStream *cuda) const {
    const GradientCall call = check_bias_gradient(options, grad_output, grad_bias,
                                                  forced_layout(Operator::bias_gradient).value_or(Layout::ncdhw),
                                                  spatial, cuda != nullptr ? Strides::of_layout : Strides::any);
    check_item_of(device, call.geometry);
    if (cuda != nullptr) {
        check_on_cuda(device);
    }
    const bool is_empty = call.geometry.batch == 0, through_copies = device != Device::cpu && cuda == nullptr;
    const Problem problem =
        problem_of(Operator::bias_gradient, call.geometry, call.layout, {grad_output.dtype, grad_bias.dtype});
    const int64_t stride = grad_bias.strides[0];
    const auto sum_with = [&](const Entry *entry) {
        if (through_copies && !is_empty) {
            const Stream stream = stream_on(device);
            PositionSums sums(entry, problem, stream);
            add_through_copies(sums, lifted(grad_output, spatial), call.layout, stream);
            sums.store_from_process({Device::cpu, grad_bias.dtype, grad_bias.data, nullptr, 0}, stride, update);
            return;
        }
        PositionSums sums(entry, problem, cuda != nullptr ? stream_on(device, *cuda) : Stream{});
        if (!is_empty) {
            add(sums, Array(device, grad_output, spatial, 1));
        }
        sums.store({cuda != nullptr ? device : Device::cpu, grad_bias.dtype, grad_bias.data, nullptr, 0}, stride,
                   update);
    };
    if (is_empty) {
        sum_with(nullptr);
        return;
    }
    compute(plan_for(problem), problem, Stream{},
            [&](const Program &program) { sum_with(program.parts.front().entry); });
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
