#ifndef UNSTRIDE_RUNTIME_KERNELS_BOXES_H
#define UNSTRIDE_RUNTIME_KERNELS_BOXES_H

#include <cstdint>
#include <functional>

#include "kernels/cost.h"

namespace unstride {

// What the tasks of a layer share, each of which computes a box of it for some blocks of channels (Task::box in
// generators/family.h): rows and slices as a Split counts them, and the calls of the kernel that each box takes.
struct Boxes {
    int64_t rows, slices, batch, groups, blocks, calls;
};

// What a model of cost knows of a split.
struct BoxCost {
    std::function<int64_t(const Split &)> scratch_bytes;
    std::function<double(const Split &)> cycles;
};

// Returns the split of least expected time, whose tasks have `rows` rows, or any number if this is 0.
Split best_boxes(const Boxes &all, int64_t rows, int threads, const BoxCost &cost);

// The rows of a slice, and the slices, of which a task computes the outputs.
struct TaskBox {
    int64_t rows, slices;
};

// Returns the box of least cost: of `all.rows` rows, or fewer, halved again and again, and of 1, 2, 4 ... slices up to
// `all.slices`, as long as `fits` is true of them; where none fits, a single row. With `rows` other than 0 it has so
// many rows.
TaskBox best_box(const TaskBox &all, int64_t rows, const std::function<bool(const TaskBox &)> &fits,
                 const std::function<double(const TaskBox &)> &cost);

}  // namespace unstride

#endif
