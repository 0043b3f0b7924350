#include "tasks.h"

namespace unstride {

using namespace Halide;

Var parallelize(Stages &s) {
    Var rows{"rows"}, slices{"slices"}, several{"several"}, task{"task"}, items{"items"};
    s.output.split(y, rows, y, s.rows_per_task, TailStrategy::GuardWithIf)
        .split(z, slices, z, s.slices_per_task, TailStrategy::GuardWithIf)
        .split(blocks, several, blocks, s.blocks_per_task, TailStrategy::GuardWithIf);
    if (s.task == Task::box) {
        s.output.split(n, items, n, s.items_per_task, TailStrategy::GuardWithIf)
            .reorder(y, z, n, p, blocks, rows, slices, several, g, items)
            .fuse(g, items, items);
    } else {
        s.output.reorder(y, z, blocks, rows, slices, several, g, n).fuse(g, n, items);
    }
    // Bounds inference loses the exact z where more than three loops are fused, hence two parallel loops.
    s.output.fuse(rows, slices, task).fuse(task, several, task);
    s.output.parallel(task).parallel(items);
    return task;
}

}  // namespace unstride
