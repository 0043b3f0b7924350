#ifndef UNSTRIDE_RUNTIME_EXECUTE_H
#define UNSTRIDE_RUNTIME_EXECUTE_H

#include "formula.h"
#include "geometry.h"
#include "panels.h"
#include "planner.h"

#include <optional>
#include <vector>

namespace unstride {

// Memory of an activation: strides in elements from one item, group, channel, slice, row and column to the next, and
// its first element, so many elements from a pointer of the process's memory, or of CUDA's; or the pointer is null, and
// there is an array in a GPU's memory.
struct Volume {
    const void *data;  // also of the output
    DType dtype;
    int64_t batch, group, channel, depth, height, width;
    const DeviceArray *array = nullptr;
    int64_t offset = 0;
};

// What follows the sums of a layer.
struct Epilogue {
    Formula formula = Formula::none;
    std::optional<Volume> residual = std::nullopt;
};

// Items of the batch that one call can take: kernels index with 32 bits.
int64_t items_per_call(const Geometry &geometry, int64_t input_item_stride, int64_t output_item_stride);

// Runs one part of a decision over its geometry, part_of(), and its own memory, with the panels of pack(), or queues it
// on a GPU. Throws OutOfMemory or KernelError for what a kernel reports.
void execute(const Part &part, const Geometry &geometry, const std::vector<Panels> &panels, const Volume &input,
             const Volume &output, const Epilogue &epilogue, int threads, const Queue &queue);

}  // namespace unstride

#endif
