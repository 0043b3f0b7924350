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

// Of a lifted view's channels in groups of `group_size`.
template<typename T>
Activation<T> activation(const View<T> &view, int64_t group_size) {
    const Shape &s = view.strides;
    return {view.data, s[0], s[1] * group_size, s[1], s[2], s[3], s[4]};
}

// Whether of a lifted view a GPU can load four channels of ndhwc at once wherever a multiple of four begins: see needs_regular().
bool is_aligned(const View<const float> &view) {
    for (size_t d = 0; d < view.sizes.size(); d++) {
        if (d != 1 && view.sizes[d] > 1 && view.strides[d] % 4 != 0) {
            return false;
        }
    }
    return reinterpret_cast<uintptr_t>(view.data) % (4 * sizeof(float)) == 0;
}

}  // namespace

void ConvTranspose::State::compute_arrays(const Geometry &geometry, Layout layout, const DeviceArray &input, const DeviceArray &output, const Queue &queue) const {
    const Channels &c = geometry.channels;
    const auto &[z, y, x] = geometry.extent;
    Activation<const float> source = activation(dense_view<const float>(nullptr, {geometry.batch, c.groups * c.inputs, z.input, y.input, x.input}, layout), c.inputs);
    Activation<float> target = activation(dense_view<float>(nullptr, {geometry.batch, c.groups * c.outputs, z.output, y.output, x.output}, layout), c.outputs);
    source.array = &input;
    target.array = &output;
    compute(*decide(geometry, layout, true, workers()), geometry, source, target, queue);
}

void ConvTranspose::State::compute_copies(const Geometry &geometry, Layout layout, const View<const float> &input, const View<float> &output) const {
    const Queue queue = queue_of(device);
    Geometry items = geometry;
    for (int64_t first = 0; first < geometry.batch; first += items.batch) {
        items.batch = std::min(items_per_call(geometry, 0, 0), geometry.batch - first);
        const View<const float> from = items_of(input, first, items.batch);
        const View<float> to = items_of(output, first, items.batch);
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

void ConvTranspose::forward(const View<const float> &input, const View<float> &output) const {
    const Geometry geometry = state_->resolve_both(input.sizes, output.sizes);
    const Layout layout = check_views(input, output, shape_of_output(geometry, input.sizes.size(), spatial()), state_->preferred_layout(), spatial());
    if (geometry.batch == 0) {
        return;
    }
    const View<const float> inputs = lifted(input, spatial());
    const View<float> outputs = lifted(output, spatial());
    if (state_->device != Device::cpu) {
        state_->compute_copies(geometry, layout, inputs, outputs);
        return;
    }
    const int threads = state_->workers();
    const Activation<const float> source = activation(inputs, geometry.channels.inputs);
    std::shared_ptr<const Decision> decision = state_->decide(geometry, layout, state_->moderate, threads);
    if (uses(*decision, Algorithm::winograd) && !are_moderate(source, geometry, threads)) {
        decision = state_->decide(geometry, layout, false, threads);
    }
    state_->compute(*decision, geometry, source, activation(outputs, geometry.channels.outputs), {});
}

void ConvTranspose::forward(const View<const float> &input, const View<float> &output, CudaStream stream) const {
    const Geometry geometry = state_->resolve_both(input.sizes, output.sizes);
    const Layout layout = check_views(input, output, shape_of_output(geometry, input.sizes.size(), spatial()), state_->preferred_layout(), spatial());
    if (state_->device != Device::cuda) {
        throw InvalidArgument("a CudaStream is for layers on CUDA: see set_device");
    }
    if (geometry.batch > 0) {
        const Queue queue = queue_of(Device::cuda, stream);
        const View<const float> inputs = lifted(input, spatial());
        state_->compute(*state_->decide(geometry, layout, is_aligned(inputs), state_->workers()), geometry, activation(inputs, geometry.channels.inputs),
                        activation(lifted(output, spatial()), geometry.channels.outputs), queue);
    }
}

void ConvTranspose::forward(const DeviceTensor &input, DeviceTensor &output) const {
    if (input.device() != state_->device || output.device() != state_->device) {
        throw InvalidArgument(std::string("the layer is on device ") + to_string(state_->device) + ", input and output on " + to_string(input.device()) + " and " + to_string(output.device()));
    }
    if (input.layout() != output.layout()) {
        throw InvalidArgument("input and output have different layouts");
    }
    if (input.spatial() != spatial() || output.spatial() != spatial()) {
        throw InvalidArgument("the layer has " + std::to_string(spatial()) + " dimensions of space, input and output " + std::to_string(input.spatial()) + " and " + std::to_string(output.spatial()));
    }
    const Geometry geometry = state_->resolve_both(input.sizes(), output.sizes());
    check_output_shape(output.sizes(), shape_of_output(geometry, input.sizes().size(), spatial()));
    const Queue &queue = output.state_->array.queue();
    if (input.state_->array.queue().context != queue.context) {
        throw InvalidArgument("input and output are in different contexts of CUDA");
    }
    if (geometry.batch > 0) {
        state_->compute_arrays(geometry, input.layout(), input.state_->array, output.state_->array, queue);
    }
}

Tensor ConvTranspose::forward(const View<const float> &input, const Shape &output_size) const {
    const Shape shape = output_shape(input.sizes, output_size);
    Tensor output(shape, check_input(input, state_->preferred_layout(), spatial()), spatial());
    forward(input, output.view());
    return output;
}

}  // namespace unstride
