#ifndef UNSTRIDE_RUNTIME_EXECUTE_H
#define UNSTRIDE_RUNTIME_EXECUTE_H

#include "formula.h"
#include "geometry.h"
#include "panels.h"
#include "planner.h"

#include <optional>
#include <vector>

namespace unstride {

// Memory of an activation: its first element, and strides in elements from one item, group, channel, slice, row and column to the
// next. The pointer is one of the process's memory, or of CUDA's; or null, and there is an array in a GPU's memory.
template<typename T>
struct Volume {
    T *data;
    int64_t batch, group, channel, depth, height, width;
    const DeviceArray *array = nullptr;
};

// What follows the sums of a layer.
struct Epilogue {
    Formula formula = Formula::none;
    float low = 0, high = 0;  // of a clamp
    float alpha = 0;          // of elu
    std::optional<Volume<const float>> residual = std::nullopt;
};

// Items of the batch that one call can take: kernels index with 32 bits.
int64_t items_per_call(const Geometry &geometry, int64_t input_item_stride, int64_t output_item_stride);

// Runs one part of a decision over its geometry, part_of(), and its own memory, with the panels of pack(), or queues it on a GPU. Throws
// OutOfMemory or KernelError for what a kernel reports.
void execute(const Part &part, const Geometry &geometry, const std::vector<Panels> &panels, const Volume<const float> &input,
             const Volume<float> &output, const Epilogue &epilogue, int threads, const Queue &queue);

}  // namespace unstride

#endif
