#ifndef UNSTRIDE_RUNTIME_RUN_ACTIVATION_PASS_H
#define UNSTRIDE_RUNTIME_RUN_ACTIVATION_PASS_H

#include <array>
#include <cstdint>

#include "array/array.h"
#include "formula.h"
#include "plan/program.h"
#include "unstride/register.h"

namespace unstride {

// How a kernel's schedule splits the output of a call into tasks (schedules/tasks.cpp). An outer loop runs over groups
// and items, and an inner one over the channels, slices and rows of these.
struct Tasks {
    int64_t items, groups, channels, slices, rows;  // extents of the output
    int64_t items_per_task, channels_per_task, slices_per_task, rows_per_task;

    // Returns the window of the output that the task in these turns of the outer and the inner loop computes.
    Array::Window task(const Array &output, int outer, int inner) const;
};

// Returns the tasks of a call that computes this output for a part.
Tasks tasks_of(const Part &part, const Array &output);

// Applies an activation that kernels do not compute in registers (generators/formula.h) to the output of a call, in
// place: to what a task has written, right after it and in the same thread, or to all of the output at once.
class ActivationPass {
public:
    // `output` is that of the call, with the columns of all phases. `bias` is the call's, and must outlive this object.
    ActivationPass(const Variant &variant, Formula formula, halide_buffer_t *bias, const Array &output);

    // Apply the activation to a window of the output, which must have one group, or to all of the output. Both return
    // an error of Halide's, or 0.
    int run(void *user_context, const Array::Window &window) const;
    int run_all(void *user_context) const;

    // Extents or strides of what the activation's kernel computes, the innermost first.
    using Dimensions = std::array<int64_t, 5>;

private:
    int run(void *user_context, const Array &outputs) const;
    int call(void *user_context, const Origin &origin, const Dimensions &extents, const Dimensions &strides) const;

    // Copies elements that lie apart to where they are dense, and back: kernels have whole vectors of dense ones alone.
    int run_in_strips(void *user_context, const Array &outputs, const Dimensions &extents,
                      const Dimensions &strides) const;

    ActivationKernel kernel_;
    Formula formula_;
    Layout layout_;
    halide_buffer_t *bias_;
    Array output_;
};

}  // namespace unstride

#endif
