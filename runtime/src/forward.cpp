// All ways to call a layer.

#include <algorithm>
#include <optional>

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
Volume<T> volume(const View<T> &view, int64_t group_size) {
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

void ConvTranspose::State::compute_arrays(const Geometry &geometry, Layout layout, const DeviceArray &input, const DeviceArray &output, const DeviceArray *residual, const Queue &queue) const {
    const Channels &c = geometry.channels;
    const auto &[z, y, x] = geometry.extent;
    const View<float> outputs = dense_view<float>(nullptr, {geometry.batch, c.groups * c.outputs, z.output, y.output, x.output}, layout);
    Volume<const float> source = volume(dense_view<const float>(nullptr, {geometry.batch, c.groups * c.inputs, z.input, y.input, x.input}, layout), c.inputs);
    Volume<float> target = volume(outputs, c.outputs);
    source.array = &input;
    target.array = &output;
    std::optional<Volume<const float>> added;
    if (residual != nullptr) {
        added = volume<const float>(outputs, c.outputs);
        added->array = residual;
    }
    compute(*decide(geometry, layout, true, workers()), geometry, source, target, added, queue);
}

void ConvTranspose::State::compute_copies(const Geometry &geometry, Layout layout, const View<const float> &input, const View<float> &output, const View<const float> *residual) const {
    const Queue queue = queue_of(device);
    Geometry items = geometry;
    for (int64_t first = 0; first < geometry.batch; first += items.batch) {
        items.batch = std::min(items_per_call(geometry, 0, 0), geometry.batch - first);
        const auto upload = [&](const View<const float> &view, DeviceArray &array) {
            const View<const float> from = items_of(view, first, items.batch);
            if (is_dense(from, layout)) {
                array.upload(from.data);
            } else {
                Tensor dense(from.sizes, layout);
                copy_strided(from.data, from.strides, dense.data(), dense.view().strides, from.sizes);
                array.upload(dense.data());
            }
        };
        DeviceArray in(queue, items.input_elements()), out(queue, items.output_elements());
        upload(input, in);
        std::optional<DeviceArray> added;
        if (residual != nullptr) {
            added.emplace(queue, items.output_elements());
            upload(*residual, *added);
        }
        compute_arrays(items, layout, in, out, added ? &*added : nullptr, queue);
        const View<float> to = items_of(output, first, items.batch);
        if (is_dense(to, layout)) {
            out.download(to.data);
        } else {
            Tensor dense(to.sizes, layout);
            out.download(dense.data());
            copy_strided<float>(dense.data(), dense.view().strides, to.data, to.strides, to.sizes);
        }
    }
}

void ConvTranspose::State::forward(const View<const float> &input, const View<float> &output, const View<const float> *residual) const {
    const Geometry geometry = resolve_both(input.sizes, output.sizes);
    const Layout layout = check_views(input, output, residual, shape_of_output(geometry, input.sizes.size(), spatial), preferred_layout(), spatial);
    if (geometry.batch == 0) {
        return;
    }
    const View<const float> inputs = lifted(input, spatial), residuals = residual != nullptr ? lifted(*residual, spatial) : View<const float>();
    const View<float> outputs = lifted(output, spatial);
    if (device != Device::cpu) {
        compute_copies(geometry, layout, inputs, outputs, residual != nullptr ? &residuals : nullptr);
        return;
    }
    const int threads = workers();
    const Channels &c = geometry.channels;
    const Volume<const float> source = volume(inputs, c.inputs);
    std::shared_ptr<const Decision> decision = decide(geometry, layout, moderate, threads);
    if (uses(*decision, Algorithm::winograd) && !are_moderate(source, geometry, threads)) {
        decision = decide(geometry, layout, false, threads);
    }
    compute(*decision, geometry, source, volume(outputs, c.outputs), residual != nullptr ? std::optional(volume(residuals, c.outputs)) : std::nullopt, {});
}

void ConvTranspose::State::forward(const View<const float> &input, const View<float> &output, const View<const float> *residual, CudaStream stream) const {
    const Geometry geometry = resolve_both(input.sizes, output.sizes);
    const Layout layout = check_views(input, output, residual, shape_of_output(geometry, input.sizes.size(), spatial), preferred_layout(), spatial);
    if (device != Device::cuda) {
        throw InvalidArgument("a CudaStream is for layers on CUDA: see set_device");
    }
    if (geometry.batch > 0) {
        const Queue queue = queue_of(Device::cuda, stream);
        const View<const float> inputs = lifted(input, spatial);
        const Channels &c = geometry.channels;
        compute(*decide(geometry, layout, is_aligned(inputs), workers()), geometry, volume(inputs, c.inputs), volume(lifted(output, spatial), c.outputs),
                residual != nullptr ? std::optional(volume(lifted(*residual, spatial), c.outputs)) : std::nullopt, queue);
    }
}

void ConvTranspose::State::forward(const DeviceTensor &input, DeviceTensor &output, const DeviceTensor *residual) const {
    const auto check = [&](const std::string &name, const DeviceTensor &tensor) {
        if (tensor.device() != device) {
            throw InvalidArgument(std::string("the layer is on device ") + to_string(device) + ", its " + name + " on " + to_string(tensor.device()));
        }
        if (tensor.spatial() != spatial) {
            throw InvalidArgument("the layer has " + std::to_string(spatial) + " dimensions of space, its " + name + " " + std::to_string(tensor.spatial()));
        }
        if (tensor.layout() != output.layout()) {
            throw InvalidArgument(name + " and output have different layouts");
        }
        if (tensor.state_->array.queue().context != output.state_->array.queue().context) {
            throw InvalidArgument(name + " and output are in different contexts of CUDA");
        }
    };
    check("output", output);
    check("input", input);
    const Geometry geometry = resolve_both(input.sizes(), output.sizes());
    check_output_shape(output.sizes(), shape_of_output(geometry, input.sizes().size(), spatial));
    if (residual != nullptr) {
        check("residual", *residual);
        check_residual_shape(residual->sizes(), output.sizes());
        if (device == Device::opencl && residual == &output) {  // whose calls compute some outputs twice: phases_of_calls()
            throw InvalidArgument("with OpenCL the residual may not be the output itself");
        }
    }
    if (geometry.batch > 0) {
        const DeviceArray &to = output.state_->array;
        compute_arrays(geometry, input.layout(), input.state_->array, to, residual != nullptr ? &residual->state_->array : nullptr, to.queue());
    }
}

void ConvTranspose::forward(const View<const float> &input, const View<float> &output) const {
    state_->forward(input, output, nullptr);
}

void ConvTranspose::forward(const View<const float> &input, const View<float> &output, const View<const float> &residual) const {
    state_->forward(input, output, &residual);
}

void ConvTranspose::forward(const View<const float> &input, const View<float> &output, CudaStream stream) const {
    state_->forward(input, output, nullptr, stream);
}

void ConvTranspose::forward(const View<const float> &input, const View<float> &output, const View<const float> &residual, CudaStream stream) const {
    state_->forward(input, output, &residual, stream);
}

void ConvTranspose::forward(const DeviceTensor &input, DeviceTensor &output) const {
    state_->forward(input, output, nullptr);
}

void ConvTranspose::forward(const DeviceTensor &input, DeviceTensor &output, const DeviceTensor &residual) const {
    state_->forward(input, output, &residual);
}

Tensor ConvTranspose::forward(const View<const float> &input, const Shape &output_size) const {
    const Shape shape = output_shape(input.sizes, output_size);
    Tensor output(shape, check_input(input, state_->preferred_layout(), spatial()), spatial());
    forward(input, output.view());
    return output;
}

}  // namespace unstride
