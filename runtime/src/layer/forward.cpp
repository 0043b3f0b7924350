// All ways to call a layer.

#include <algorithm>
#include <optional>

#include "array/copy.h"
#include "array/scan.h"
#include "checks/checks.h"
#include "kernels/devices.h"
#include "layer/device_tensor.h"
#include "layer/state.h"
#include "problem/views.h"

namespace unstride {
namespace {

// Of a lifted view's channels in groups of `group_size`.
Volume volume(const View<const void> &view, int64_t group_size) {
    const Shape &s = view.strides;
    return {view.data, view.dtype, s[0], s[1] * group_size, s[1], s[2], s[3], s[4]};
}

// Of a dense array of a GPU's.
Volume volume(const DeviceArray &array, DType dtype, const Shape &sizes, Layout layout, int64_t group_size) {
    Volume result = volume(View<const void>(nullptr, dtype, sizes, dense_strides(sizes, layout)), group_size);
    result.array = &array;
    return result;
}

// Whether of a lifted view a GPU can load four channels of ndhwc at once wherever a multiple of four begins: see
// Conditions.
bool is_aligned(const View<const void> &view) {
    for (size_t d = 0; d < view.sizes.size(); d++) {
        if (d != 1 && view.sizes[d] > 1 && view.strides[d] % 4 != 0) {
            return false;
        }
    }
    return reinterpret_cast<uintptr_t>(view.data) % static_cast<uintptr_t>(4 * size_of(view.dtype)) == 0;
}

}  // namespace

void ConvTranspose::State::compute_arrays(const Geometry &geometry, Layout layout, const Types &types,
                                          const DeviceArray &input, const DeviceArray &output,
                                          const DeviceArray *residual, const Stream &stream) const {
    const Channels &c = geometry.channels;
    const auto &[z, y, x] = geometry.extent;
    const Shape outputs{geometry.batch, c.groups * c.outputs, z.output, y.output, x.output};
    const Volume source =
        volume(input, types.input, {geometry.batch, c.groups * c.inputs, z.input, y.input, x.input}, layout, c.inputs);
    const Volume target = volume(output, types.output, outputs, layout, c.outputs);
    compute(*decide(geometry, layout, types, {}, workers()), geometry, source, target,
            residual != nullptr ? std::optional(volume(*residual, types.output, outputs, layout, c.outputs))
                                : std::nullopt,
            stream, workers());
}

void ConvTranspose::State::compute_copies(const Geometry &geometry, Layout layout, const View<const void> &input,
                                          const View<void> &output, const View<const void> *residual) const {
    const Stream stream = stream_on(device);
    Geometry items = geometry;
    for (int64_t first = 0; first < geometry.batch; first += items.batch) {
        items.batch = std::min(items_per_call(geometry, 0, 0), geometry.batch - first);
        const auto upload = [&](const View<const void> &view, DeviceArray &array) {
            const View<const void> from = items_of(view, first, items.batch);
            if (is_dense(from, layout)) {
                array.upload(from.data);
            } else {
                Tensor dense(from.sizes, layout, 3, from.dtype);
                copy_elements(from, dense.view<void>());
                array.upload(dense.data<void>());
            }
        };
        DeviceArray in(stream, items.input_elements(), input.dtype), out(stream, items.output_elements(), output.dtype);
        upload(input, in);
        std::optional<DeviceArray> added;
        if (residual != nullptr) {
            added.emplace(stream, items.output_elements(), residual->dtype);
            upload(*residual, *added);
        }
        compute_arrays(items, layout, {input.dtype, output.dtype}, in, out, added ? &*added : nullptr, stream);
        const View<void> to = items_of(output, first, items.batch);
        if (is_dense(to, layout)) {
            out.download(to.data);
        } else {
            Tensor dense(to.sizes, layout, 3, to.dtype);
            out.download(dense.data<void>());
            copy_elements(dense.view<void>(), to);
        }
    }
}

void ConvTranspose::State::forward(const View<const void> &input, const View<void> &output,
                                   const View<const void> *residual) const {
    const Geometry geometry = resolve_both(input.sizes, output.sizes);
    const Layout layout = check_views(input, output, residual, shape_of_output(geometry, input.sizes.size(), spatial),
                                      preferred_layout(), spatial);
    if (geometry.batch == 0) {
        return;
    }
    const Types types{input.dtype, output.dtype};
    const View<const void> inputs = lifted(input, spatial),
                           residuals = residual != nullptr ? lifted(*residual, spatial) : View<const void>();
    const View<void> outputs = lifted(output, spatial);
    if (device != Device::cpu) {
        compute_copies(geometry, layout, inputs, outputs, residual != nullptr ? &residuals : nullptr);
        return;
    }
    const int threads = workers();
    const Channels &c = geometry.channels;
    const Volume source = volume(inputs, c.inputs);
    std::shared_ptr<const Decision> decision = decide(geometry, layout, types, {}, threads);
    if (uses(*decision, Algorithm::winograd) && !are_moderate(source, geometry, threads)) {
        decision = decide(geometry, layout, types, {false, true}, threads);
    }
    compute(*decision, geometry, source, volume(outputs, c.outputs),
            residual != nullptr ? std::optional(volume(residuals, c.outputs)) : std::nullopt, {}, threads);
}

void ConvTranspose::State::forward(const View<const void> &input, const View<void> &output,
                                   const View<const void> *residual, CudaStream cuda_stream) const {
    const Geometry geometry = resolve_both(input.sizes, output.sizes);
    const Layout layout = check_views(input, output, residual, shape_of_output(geometry, input.sizes.size(), spatial),
                                      preferred_layout(), spatial);
    if (device != Device::cuda) {
        throw InvalidArgument("a CudaStream is for layers on CUDA: see set_device");
    }
    if (geometry.batch > 0) {
        const Stream stream = stream_on(Device::cuda, cuda_stream);
        const View<const void> inputs = lifted(input, spatial);
        const Channels &c = geometry.channels;
        compute(*decide(geometry, layout, {input.dtype, output.dtype}, {true, is_aligned(inputs)}, workers()), geometry,
                volume(inputs, c.inputs), volume(lifted(output, spatial), c.outputs),
                residual != nullptr ? std::optional(volume(lifted(*residual, spatial), c.outputs)) : std::nullopt,
                stream, workers());
    }
}

void ConvTranspose::State::forward(const DeviceTensor &input, DeviceTensor &output,
                                   const DeviceTensor *residual) const {
    const auto check = [&](const std::string &name, const DeviceTensor &tensor) {
        if (tensor.device() != device) {
            throw InvalidArgument(std::string("the layer is on device ") + to_string(device) + ", its " + name +
                                  " on " + to_string(tensor.device()));
        }
        if (tensor.spatial() != spatial) {
            throw InvalidArgument("the layer has " + std::to_string(spatial) + " dimensions of space, its " + name +
                                  " " + std::to_string(tensor.spatial()));
        }
        if (tensor.layout() != output.layout()) {
            throw InvalidArgument(name + " has layout " + to_string(tensor.layout()) + ", and output " +
                                  to_string(output.layout()) + ": both must have the same");
        }
        if (tensor.state_->array.stream().context != output.state_->array.stream().context) {
            throw InvalidArgument(name + " and output are in different contexts of CUDA");
        }
    };
    check("output", output);
    check("input", input);
    const Geometry geometry = resolve_both(input.sizes(), output.sizes());
    check_output_shape(output.sizes(), shape_of_output(geometry, input.sizes().size(), spatial));
    const Types types{input.dtype(), output.dtype()};
    check_types(types);
    if (residual != nullptr) {
        check("residual", *residual);
        check_residual_type(residual->dtype(), output.dtype());
        check_residual_shape(residual->sizes(), output.sizes());
        if (device == Device::opencl &&
            residual == &output) {  // whose calls compute some outputs twice: phases_of_calls()
            throw InvalidArgument("with OpenCL the residual may not be the output itself");
        }
    }
    if (geometry.batch > 0) {
        const DeviceArray &to = output.state_->array;
        compute_arrays(geometry, input.layout(), types, input.state_->array, to,
                       residual != nullptr ? &residual->state_->array : nullptr, to.stream());
    }
}

void ConvTranspose::forward(const View<const void> &input, const View<void> &output) const {
    state_->forward(input, output, nullptr);
}

void ConvTranspose::forward(const View<const void> &input, const View<void> &output,
                            const View<const void> &residual) const {
    state_->forward(input, output, &residual);
}

void ConvTranspose::forward(const View<const void> &input, const View<void> &output, CudaStream stream) const {
    state_->forward(input, output, nullptr, stream);
}

void ConvTranspose::forward(const View<const void> &input, const View<void> &output, const View<const void> &residual,
                            CudaStream stream) const {
    state_->forward(input, output, &residual, stream);
}

void ConvTranspose::forward(const DeviceTensor &input, DeviceTensor &output) const {
    state_->forward(input, output, nullptr);
}

void ConvTranspose::forward(const DeviceTensor &input, DeviceTensor &output, const DeviceTensor &residual) const {
    state_->forward(input, output, &residual);
}

Tensor ConvTranspose::forward(const View<const void> &input, const Shape &output_size) const {
    const Shape shape = output_shape(input.sizes, output_size);
    Tensor output(shape, check_input(input, state_->forced_layout(), spatial()), spatial(), input.dtype);
    forward(input, output.view<void>());
    return output;
}

}  // namespace unstride
