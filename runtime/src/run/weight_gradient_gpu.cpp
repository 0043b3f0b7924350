#include "run/weight_gradient_gpu.h"

#include <variant>

#include "array/memory.h"
#include "device/kernel_call.h"
#include "run/sum_of_chunks.h"
#include "unstride/error.h"

namespace unstride {

ProductsOnGpu::ProductsOnGpu(const Part &part, const Problem &problem, const Stream &stream)
    : entry_(*part.entry), seen_(part.seen), order_(summation_order(problem.geometry, sum_bytes(entry_))),
      geometry_(problem.geometry), threads_(problem.threads), stream_(stream), dtype_(entry_.variant.types.sums()),
      chunks_(chunks_on_gpu(entry_, geometry_)),
      sums_(stream, chunks_.elements(), dtype_, DeviceArray::Freed::in_stream) {
    const auto &[z, y, x] = geometry_.extent;
    if (chunks_.inputs / entry_.variant.columns > grid_limit || multiply(x.kernel, y.kernel) > grid_limit ||
        multiply(z.kernel, seen_.groups) > grid_limit) {
        throw InvalidArgument("weights this large are not supported on a GPU");
    }
}

void ProductsOnGpu::sum(const Array &input, const Array &grad_output) {
    if (order_.runs() == 0) {
        return;
    }
    const int64_t groups = seen_.groups;
    KernelBuffer<6> in = input.grouped(groups).as_input(1), out = grad_output.grouped(groups).as_input(1);
    const int64_t tap = chunks_.outputs * chunks_.inputs, group = tap * chunks_.taps;
    KernelBuffer<5> sums({stream_.device, dtype_, nullptr, &sums_, 0},
                         {chunks_.outputs, chunks_.inputs, chunks_.taps, groups, chunks_.chunks},
                         {1, chunks_.outputs, tap, group, group * groups});
    const auto &[z, y, x] = geometry_.extent;
    const auto narrow = [](int64_t value) { return static_cast<int32_t>(value); };
    KernelCall call(stream_);
    call.check(std::get<WeightGradientGpuKernel>(entry_.kernel)(
        call.context(), in.get(), out.get(),                                                         //
        narrow(x.axis.padding), narrow(y.axis.padding), narrow(z.axis.padding),                      //
        narrow(x.axis.dilation), narrow(y.axis.dilation), narrow(z.axis.dilation),                   //
        narrow(x.axis.stride), narrow(y.axis.stride), narrow(z.axis.stride),                         //
        narrow(order_.run[3]), narrow(order_.run[2]), narrow(order_.run[1]), narrow(order_.run[0]),  //
        narrow(x.kernel), narrow(y.kernel), sums.get()));
}

// A channel of a depthwise layer is an input channel and an output channel at once: in the gradient it is the former.
void ProductsOnGpu::add(const Origin &chunks, const Origin &to, const View<void> &grad_weight, Update update,
                        const Stream &stream) const {
    const auto &[z, y, x] = geometry_.extent;
    const Shape &strides = grad_weight.strides;
    const bool is_diagonal = entry_.facts->inputs == Inputs::own;
    const int64_t tap = chunks_.outputs * chunks_.inputs, group = tap * chunks_.taps;
    add_chunks(
        {chunks,
         to,
         order_.runs() > 0 ? chunks_.chunks : 0,
         {seen_.outputs, seen_.inputs, x.kernel, y.kernel, z.kernel, seen_.groups, 1},
         {1, chunks_.outputs, tap, tap * x.kernel, tap * x.kernel * y.kernel, group, 0, group * seen_.groups},
         {strides[is_diagonal ? 0 : 1], strides[0], strides[4], strides[3], strides[2], strides[0] * seen_.inputs, 0}},
        update, threads_, stream);
}

void ProductsOnGpu::store(const View<void> &grad_weight, Update update) const {
    add({stream_.device, dtype_, nullptr, &sums_, 0}, {stream_.device, grad_weight.dtype, grad_weight.data, nullptr, 0},
        grad_weight, update, stream_);
}

void ProductsOnGpu::store_in_process(const View<void> &grad_weight, Update update) {
    const Memory sums(allocate(sums_.count(), dtype_, "the partial sums of a weight gradient"));
    sums_.download(sums.get());
    add({Device::cpu, dtype_, sums.get(), nullptr, 0}, {Device::cpu, grad_weight.dtype, grad_weight.data, nullptr, 0},
        grad_weight, update, Stream{});
}

}  // namespace unstride
