#ifndef UNSTRIDE_RUNTIME_RUN_WEIGHT_GRADIENT_GPU_H
#define UNSTRIDE_RUNTIME_RUN_WEIGHT_GRADIENT_GPU_H

#include "array/array.h"
#include "kernels/weight_gradient.h"
#include "plan/program.h"
#include "problem/problem.h"
#include "unstride/operator.h"
#include "unstride/tensor.h"

namespace unstride {

// Computes a weight gradient on a GPU: one kernel sums up all chunks, and another adds these up. Functions throw
// InvalidArgument where the arrays or the weights are too many for a call, OutOfMemory, and KernelError.
class ProductsOnGpu {
public:
    // Allocates memory for the sums of all chunks.
    ProductsOnGpu(const Part &part, const Problem &problem, const Stream &stream);

    // Queues the sums of all chunks of arrays in the GPU's memory.
    void sum(const Array &input, const Array &grad_output);

    // Store the gradient, whose view has five dimensions: queued, to memory of CUDA, or in the process's memory, when
    // all that was queued is done.
    void store(const View<void> &grad_weight, Update update) const;
    void store_in_process(const View<void> &grad_weight, Update update);

private:
    void add(const Origin &chunks, const Origin &to, const View<void> &grad_weight, Update update,
             const Stream &stream) const;

    const Entry &entry_;
    const Channels seen_;  // as the kernel sees them
    const SummationOrder order_;
    const Geometry &geometry_;
    const int threads_;
    const Stream stream_;
    const DType dtype_;  // of the sums
    const ChunksOnGpu chunks_;
    DeviceArray sums_;
};

}  // namespace unstride

#endif
