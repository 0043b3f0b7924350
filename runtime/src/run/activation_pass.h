#ifndef UNSTRIDE_RUNTIME_RUN_ACTIVATION_PASS_H
#define UNSTRIDE_RUNTIME_RUN_ACTIVATION_PASS_H

#include <cstdint>

#include "array/buffer.h"
#include "run/execute.h"
#include "unstride/register.h"

namespace unstride {

// Outputs of one item of the batch after the other, in boxes. Rows and slices are counted as a call does that computes
// some of them.
struct Box {
    int64_t item, items;
    int64_t group;
    int64_t channel, channels;  // of the group
    int64_t slice, slices, row, rows;
};

// What a call computes, and how: as schedules/tasks.cpp splits it, in a loop over groups and items and one over what is
// in these.
struct Tasks {
    int64_t batch, groups, outputs;  // channels of a group
    int64_t slices, rows;
    int64_t items_per_task, channels_per_task, slices_per_task, rows_per_task;

    Box whole(int64_t group) const;
    Box box(int outer, int inner) const;
};

Tasks tasks_of(const Part &part, const Channels &channels, int64_t batch, int64_t slices, int64_t rows);

// An activation that the kernels do not compute in registers, in place, of all columns of a box.
class ActivationPass {
public:
    // `output` has the call's first element, and strides from one of the call's rows or slices to the next; `bias` is
    // that of the call, and has to live as long.
    ActivationPass(const Variant &variant, Formula formula, halide_buffer_t *bias, const Volume &output,
                   int64_t columns);

    // Returns an error of Halide's, or 0.
    int run(void *user_context, const Box &box) const;

    // All outputs, group by group: those of a group may be apart from those of the next one, as other kernels compute
    // some of their channels.
    int run_all(void *user_context, const Tasks &tasks) const;

private:
    ActivationKernel kernel_;
    Formula formula_;
    Layout layout_;
    Device device_;
    halide_buffer_t *bias_;
    Volume output_;
    int64_t columns_;
};

}  // namespace unstride

#endif
