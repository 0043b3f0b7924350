#include "schedules.h"

namespace unstride {

using namespace Halide;

void schedule_channels(Stages &s, const Tile &tile) {
    const int block = tile.block, columns = tile.columns, lanes = tile.lanes;
    Var xo{"xo"}, xi{"xi"}, yo{"yo"}, co{"co"}, ci{"ci"}, cv{"cv"}, task{"task"}, item{"item"};

    s.output.split(x, xo, xi, columns * s.stride_x, TailStrategy::GuardWithIf)
        .split(y, yo, y, s.rows_per_task, TailStrategy::GuardWithIf)
        .split(c, co, ci, block, TailStrategy::GuardWithIf);
    if (s.channels_last) {
        s.output.split(ci, cv, ci, lanes, TailStrategy::GuardWithIf)
            .reorder(ci, cv, xi, xo, y, yo, z, co, g, n)
            .vectorize(ci)
            .unroll(cv);
    } else {
        s.output.reorder(xi, ci, xo, y, yo, z, co, g, n).vectorize(xi, columns * s.stride_x, TailStrategy::GuardWithIf);
    }
    // Blocks of output channels go outside the rows: the panels of one block stay in L2 for all of them. Bounds inference
    // loses the exact z where more than three loops are fused, hence two parallel loops.
    s.output.fuse(yo, z, task).fuse(task, co, task).parallel(task).fuse(g, n, item).parallel(item);

    // The accumulators of one phase stay in registers for all of its taps; a phase done is set down beside the others.
    s.phases.compute_at(s.output, xo)
        .bound_extent(c, block)
        .bound_extent(q, columns)
        .bound_extent(rx, s.stride_x)
        .bound_extent(y, 1)
        .bound_extent(z, 1)
        .reorder_storage(c, q, rx)
        .reorder(c, q, rx)
        .vectorize(c, lanes)
        .unroll(c)
        .unroll(q);
    s.sum.compute_at(s.phases, rx)
        .align_bounds(c, block)
        .vectorize(c, lanes)
        .unroll(c)
        .unroll(q)
        .update()
        .reorder(c, q, s.taps[0], s.taps[1], s.taps[2], s.taps[3])
        .vectorize(c, lanes)
        .unroll(c)
        .unroll(q);

    // The copy is laid out, and walks, as the input is in memory.
    s.slab.compute_at(s.output, task);
    if (s.channels_last) {
        s.slab.reorder_storage(c, x, y, jz).reorder(c, x, y, jz).vectorize(c, lanes, TailStrategy::GuardWithIf);
        s.slab.update().reorder(c, s.input_columns, y, jz).vectorize(c, lanes, TailStrategy::GuardWithIf);
    } else {
        s.slab.reorder_storage(x, c, y, jz).reorder(x, y, c, jz).vectorize(x, lanes, TailStrategy::GuardWithIf);
        s.slab.update().reorder(s.input_columns, y, c, jz).vectorize(s.input_columns, lanes, TailStrategy::GuardWithIf);
    }
}

}  // namespace unstride
