#include "schedules.h"

namespace unstride {

using namespace Halide;

Var parallelize(Stages &s, const Var &blocks) {
    Var rows{"rows"}, several{"several"}, task{"task"}, item{"item"};
    // Bounds inference loses the exact z where more than three loops are fused, hence two parallel loops.
    s.output.split(y, rows, y, s.rows_per_task, TailStrategy::GuardWithIf)
        .split(blocks, several, blocks, s.blocks_per_task, TailStrategy::GuardWithIf)
        .reorder(y, blocks, rows, z, several, g, n)
        .fuse(rows, z, task)
        .fuse(task, several, task)
        .parallel(task)
        .fuse(g, n, item)
        .parallel(item);
    return task;
}

}  // namespace unstride
