// The overloads of ConvTranspose::forward, and the one way on which all of them end.

#include <algorithm>
#include <optional>

#include "array/scan.h"
#include "checks/checks.h"
#include "kernels/devices.h"
#include "layer/device_tensor.h"
#include "layer/layer.h"
#include "layer/transfer.h"
#include "problem/views.h"

namespace unstride {
namespace {

Arrays arrays_of(Device device, int spatial, int64_t groups, const View<const void> &input, const View<void> &output,
                 const View<const void> *residual) {
    const auto array = [&](const auto &view) { return Array(device, view, spatial, groups); };
    return {array(input), array(output), residual != nullptr ? std::optional(array(*residual)) : std::nullopt};
}

// Returns the arrays of a call for dense arrays in a GPU's memory.
Arrays arrays_of(const Problem &problem, const DeviceArray &input, const DeviceArray &output,
                 const DeviceArray *residual) {
    const Geometry &g = problem.geometry;
    const auto &[groups, inputs, outputs] = g.channels;
    const auto &[z, y, x] = g.extent;
    const Shape input_sizes{g.batch, groups * inputs, z.input, y.input, x.input},
        output_sizes{g.batch, groups * outputs, z.output, y.output, x.output};
    const auto array = [&](const DeviceArray &memory, DType dtype, const Shape &sizes) {
        return Array(memory, dtype, sizes, problem.layout, problem.geometry.channels.groups);
    };
    return {array(input, problem.types.input, input_sizes), array(output, problem.types.output, output_sizes),
            residual != nullptr ? std::optional(array(*residual, problem.types.output, output_sizes)) : std::nullopt};
}

}  // namespace

void ConvTranspose::State::run(Problem problem, const Arrays &arrays, const Stream &stream) const {
    Planned planned = plan_for(problem);
    // Only kernels of the CPU need moderate numbers. Their input is in the process's memory, where it can be looked at.
    if (needs(*planned.program, &Conditions::moderate) && !are_moderate(arrays.input, problem.threads)) {
        problem.conditions.moderate = false;
        planned = plan_for(problem);
    }
    if (device == Device::cpu && !fit_kernels(problem, arrays)) {
        run_in_blocks(problem, arrays, *planned.program);
        return;
    }
    compute(planned, problem, stream, [&](const Program &program) { run(program, problem, arrays, stream); });
}

void ConvTranspose::State::run(const Program &program, const Problem &problem, const Arrays &arrays,
                               const Stream &stream) const {
    for (const Part &part : program.parts) {
        execute(part, *packed.find_or_pack(part, problem, parameters, stream), arrays,
                problem.op == Operator::forward ? formula : Formula::none, problem.threads, stream);
    }
}

void ConvTranspose::State::run_through_copies(Problem problem, const View<const void> &input, const View<void> &output,
                                              const View<const void> *residual) const {
    const Stream stream = stream_on(device);
    const View<const void> inputs = lifted(input, spatial),
                           residuals = residual != nullptr ? lifted(*residual, spatial) : View<const void>();
    const View<void> outputs = lifted(output, spatial);
    const int64_t batch = problem.geometry.batch, most = items_in_32_bits(problem.geometry, 0);
    for (int64_t first = 0; first < batch; first += problem.geometry.batch) {
        Geometry &items = problem.geometry;
        items.batch = std::min(most, batch - first);
        DeviceArray in(stream, items.input_elements(), input.dtype), out(stream, items.output_elements(), output.dtype);
        upload(items_of(inputs, first, items.batch), problem.layout, in);
        std::optional<DeviceArray> added;
        if (residual != nullptr) {
            added.emplace(stream, items.output_elements(), residual->dtype);
            upload(items_of(residuals, first, items.batch), problem.layout, *added);
        }
        run(problem, arrays_of(problem, in, out, added ? &*added : nullptr), stream);
        download(out, problem.layout, items_of(outputs, first, items.batch));
    }
}

Problem ConvTranspose::State::checked(const View<const void> &input, const View<void> &output,
                                      const View<const void> *residual, Strides strides) const {
    const Geometry geometry = resolve_output(options, input.sizes, output.sizes, spatial);
    check_item_of(device, geometry);
    const Layout layout = check_views(input, output, residual, shape_of_output(geometry, input.sizes.size(), spatial),
                                      forced_layout(Operator::forward).value_or(Layout::ncdhw), spatial, strides);
    return problem_of(Operator::forward, geometry, layout, {input.dtype, output.dtype});
}

void ConvTranspose::State::forward(const View<const void> &input, const View<void> &output,
                                   const View<const void> *residual) const {
    run_checked(checked(input, output, residual, Strides::any), input, output, residual);
}

void ConvTranspose::State::run_checked(const Problem &problem, const View<const void> &input, const View<void> &output,
                                       const View<const void> *residual) const {
    if (problem.geometry.batch == 0) {
        return;
    }
    if (device == Device::cpu) {
        run(problem, arrays_of(device, spatial, options.groups, input, output, residual), Stream{});
    } else {
        run_through_copies(problem, input, output, residual);
    }
}

void ConvTranspose::State::forward(const View<const void> &input, const View<void> &output,
                                   const View<const void> *residual, CudaStream cuda_stream) const {
    Problem problem = checked(input, output, residual, Strides::of_layout);
    check_on_cuda(device);
    if (problem.geometry.batch > 0) {
        const Arrays arrays = arrays_of(device, spatial, options.groups, input, output, residual);
        problem.conditions.aligned = arrays.input.is_aligned(4);
        run(problem, arrays, stream_on(Device::cuda, cuda_stream));
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
    const Geometry geometry = resolve_output(options, input.sizes(), output.sizes(), spatial);
    check_output_shape(output.sizes(), shape_of_output(geometry, input.sizes().size(), spatial));
    const Types types{input.dtype(), output.dtype()};
    check_types(types);
    if (residual != nullptr) {
        check("residual", *residual);
        check_residual_type(residual->dtype(), output.dtype());
        check_residual_shape(residual->sizes(), output.sizes());
        // With OpenCL, two calls of a kernel may compute the same outputs (cut_width), and would add the residual
        // twice.
        if (device == Device::opencl && residual == &output) {
            throw InvalidArgument("with OpenCL the residual may not be the output itself");
        }
    }
    if (geometry.batch > 0) {
        const Problem problem = problem_of(Operator::forward, geometry, input.layout(), types);
        const DeviceArray &to = output.state_->array;
        run(problem,
            arrays_of(problem, input.state_->array, to, residual != nullptr ? &residual->state_->array : nullptr),
            to.stream());
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
    Tensor output(shape, check_input(input, state_->forced_layout(Operator::forward), spatial()), spatial(),
                  input.dtype);
    forward(input, output.view<void>());
    return output;
}

}  // namespace unstride
