// All ways to call a layer.

#include <algorithm>

#include "dense.h"
#include "device_tensor.h"
#include "driver.h"
#include "state.h"
#include "validation.h"
#include "winograd.h"

namespace unstride {
namespace {

// Of a view's channels in groups of `group_size`.
template<typename T>
Activation<T> activation(const View<T> &view, int64_t group_size) {
    const size_t channel = view.sizes.size() - 4;
    const Shape &s = view.strides;
    return {view.data, channel == 1 ? s[0] : 0, s[channel] * group_size, s[channel],
            s[channel + 1], s[channel + 2], s[channel + 3]};
}

// Whether a GPU can load four channels of ndhwc at once wherever a multiple of four begins: see needs_regular().
bool is_aligned(const View<const float> &view) {
    const size_t channels = view.sizes.size() - 4;
    for (size_t d = 0; d < view.sizes.size(); d++) {
        if (d != channels && view.sizes[d] > 1 && view.strides[d] % 4 != 0) {
            return false;
        }
    }
    return reinterpret_cast<uintptr_t>(view.data) % (4 * sizeof(float)) == 0;
}

}  // namespace

void ConvTranspose3d::State::compute_arrays(const Geometry &geometry, Layout layout, const DeviceArray &input, const DeviceArray &output, const Queue &queue) const {
    const Channels &c = geometry.channels;
    const auto &[z, y, x] = geometry.extent;
    Activation<const float> source = activation(dense_view<const float>(nullptr, {geometry.batch, c.groups * c.inputs, z.input, y.input, x.input}, layout), c.inputs);
    Activation<float> target = activation(dense_view<float>(nullptr, {geometry.batch, c.groups * c.outputs, z.output, y.output, x.output}, layout), c.outputs);
    source.array = &input;
    target.array = &output;
    compute(*decide(geometry, layout, true, workers()), geometry, source, target, queue);
}

void ConvTranspose3d::State::compute_copies(const Geometry &geometry, Layout layout, const View<const float> &input, const View<float> &output) const {
    const Queue queue = queue_of(device);
    const View<const float> inputs = batched(input);
    const View<float> outputs = batched(output);
    Geometry items = geometry;
    for (int64_t first = 0; first < geometry.batch; first += items.batch) {
        items.batch = std::min(items_per_call(geometry, 0, 0), geometry.batch - first);
        const View<const float> from = items_of(inputs, first, items.batch);
        const View<float> to = items_of(outputs, first, items.batch);
        DeviceArray in(queue, items.input_elements()), out(queue, items.output_elements());
        if (is_dense(from, layout)) {
            in.upload(from.data);
        } else {
            Tensor dense(from.sizes, layout);
            copy_strided(from.data, from.strides, dense.data(), dense.view().strides, from.sizes);
            in.upload(dense.data());
        }
        compute_arrays(items, layout, in, out, queue);
        if (is_dense(to, layout)) {
            out.download(to.data);
        } else {
            Tensor dense(to.sizes, layout);
            out.download(dense.data());
            copy_strided<float>(dense.data(), dense.view().strides, to.data, to.strides, to.sizes);
        }
    }
}

void ConvTranspose3d::forward(const View<const float> &input, const View<float> &output) const {
    const Geometry geometry = state_->resolve_both(input.sizes, output.sizes);
    const Layout layout = check_views(input, output, shape_of_output(geometry, input.sizes.size()), state_->preferred_layout());
    if (geometry.batch == 0) {
        return;
    }
    if (state_->device != Device::cpu) {
        state_->compute_copies(geometry, layout, input, output);
        return;
    }
    const int threads = state_->workers();
    const Activation<const float> source = activation(input, geometry.channels.inputs);
    std::shared_ptr<const Decision> decision = state_->decide(geometry, layout, state_->moderate, threads);
    if (uses(*decision, Algorithm::winograd) && !are_moderate(source, geometry, threads)) {
        decision = state_->decide(geometry, layout, false, threads);
    }
    state_->compute(*decision, geometry, source, activation(output, geometry.channels.outputs), {});
}

void ConvTranspose3d::forward(const View<const float> &input, const View<float> &output, CudaStream stream) const {
    const Geometry geometry = state_->resolve_both(input.sizes, output.sizes);
    const Layout layout = check_views(input, output, shape_of_output(geometry, input.sizes.size()), state_->preferred_layout());
    if (state_->device != Device::cuda) {
        throw InvalidArgument("a CudaStream is for layers on CUDA: see set_device");
    }
    if (geometry.batch > 0) {
        const Queue queue = queue_of(Device::cuda, stream);
        state_->compute(*state_->decide(geometry, layout, is_aligned(input), state_->workers()), geometry, activation(input, geometry.channels.inputs),
                        activation(output, geometry.channels.outputs), queue);
    }
}

void ConvTranspose3d::forward(const DeviceTensor &input, DeviceTensor &output) const {
    if (input.device() != state_->device || output.device() != state_->device) {
        throw InvalidArgument(std::string("the layer is on device ") + to_string(state_->device) + ", input and output on " + to_string(input.device()) + " and " + to_string(output.device()));
    }
    if (input.layout() != output.layout()) {
        throw InvalidArgument("input and output have different layouts");
    }
    const Geometry geometry = state_->resolve_both(input.sizes(), output.sizes());
    check_output_shape(output.sizes(), shape_of_output(geometry, input.sizes().size()));
    const Queue &queue = output.state_->array.queue();
    if (input.state_->array.queue().context != queue.context) {
        throw InvalidArgument("input and output are in different contexts of CUDA");
    }
    if (geometry.batch > 0) {
        state_->compute_arrays(geometry, input.layout(), input.state_->array, output.state_->array, queue);
    }
}

Tensor ConvTranspose3d::forward(const View<const float> &input, const Shape &output_size) const {
    const Shape shape = output_shape(input.sizes, output_size);
    Tensor output(shape, check_input(input, state_->preferred_layout()));
    forward(input, output.view());
    return output;
}

}  // namespace unstride
