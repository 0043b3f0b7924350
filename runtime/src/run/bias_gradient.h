#ifndef UNSTRIDE_RUNTIME_RUN_BIAS_GRADIENT_H
#define UNSTRIDE_RUNTIME_RUN_BIAS_GRADIENT_H

#include <memory>
#include <optional>
#include <vector>

#include "array/array.h"
#include "kernels/catalog.h"
#include "kernels/positions.h"
#include "problem/problem.h"
#include "unstride/operator.h"
#include "unstride/tensor.h"

namespace unstride {

// Adds up all positions of each channel of an array, in the process's memory or a GPU's: first those of each chunk,
// then the sums of chunks as if they were positions, until few are left, and these one after the other. Functions throw
// OutOfMemory or KernelError where kernels do.
class PositionSums {
public:
    // Allocates memory for the sums of an array of the problem's output. `entry` is null for an empty batch.
    PositionSums(const Entry *entry, const Problem &problem, const Stream &stream);

    // Items of the batch that neighbour each other `apart` elements apart and that one call of add() may take. Throws
    // InvalidArgument where OpenCL would need more calls.
    int64_t items_of_call(int64_t apart) const;

    // Adds up the positions of items from number `first` on, a multiple of items_of_call(). The array has one group.
    void add(const Array &items, int64_t first);

    // Adds up the chunks and stores the totals in a vector of channels, this far apart. After store_from_process(),
    // which is for a vector in the process's memory, nothing is queued on a GPU any more.
    void store(const Origin &to, int64_t stride, Update update);
    void store_from_process(const Origin &to, int64_t stride, Update update);

private:
    // Sums of all channels, which are dense, for each of some chunks.
    struct Sums {
        int64_t count;
        std::optional<Tensor> tensor;         // in the process's memory, or
        std::unique_ptr<DeviceArray> on_gpu;  // in a GPU's
    };

    Sums allocate(int64_t count) const;
    Origin origin_of(const Sums &sums, int64_t offset) const;
    // Adds up the positions of an array, some channels of which are those of `to` from `first_channel` on.
    void run(const Entry &entry, const Array &from, const PositionChunks &chunks, const Sums &to, int64_t first_chunk,
             int64_t first_channel = 0) const;
    void add_copies(const Array &items, int64_t first_chunk);
    void add_until_few_are_left();
    void store(const Sums &from, const Origin &to, int64_t stride, Update update, const Stream &stream) const;

    const Entry *entry_;
    const Problem problem_;
    const Stream stream_;
    const DType dtype_;  // of the sums
    const int64_t channels_;
    const PositionChunks chunks_;
    std::vector<Sums> sums_;  // a GPU may still read all but the last
};

}  // namespace unstride

#endif
