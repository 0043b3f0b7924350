#ifndef UNSTRIDE_RUNTIME_RUN_EXECUTE_H
#define UNSTRIDE_RUNTIME_RUN_EXECUTE_H

#include "array/volume.h"
#include "formula.h"
#include "kernels/panels.h"
#include "plan/planner.h"
#include "problem/geometry.h"

#include <optional>
#include <vector>

namespace unstride {

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
             const Volume &output, const Epilogue &epilogue, int threads, const Stream &stream);

}  // namespace unstride

#endif
