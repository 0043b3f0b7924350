#include "schedules.h"

namespace unstride {

using namespace Halide;

void schedule_columns(Stages &s, const Tile &tile) {
    const int block = tile.block, columns = tile.columns, lanes = tile.lanes;
    Var xo{"xo"}, xi{"xi"}, xv{"xv"}, yo{"yo"}, co{"co"}, ci{"ci"}, task{"task"}, item{"item"};

    // Rows go inside blocks of output channels: those of a channel lie one after the other in ncdhw, and stores to a few
    // channels at a time keep to a few pages.
    s.output.split(x, xo, xi, columns * s.stride_x, TailStrategy::GuardWithIf)
        .split(y, yo, y, s.rows_per_task, TailStrategy::GuardWithIf)
        .split(c, co, ci, block, TailStrategy::GuardWithIf)
        .reorder(xi, ci, xo, y, co, yo, z, g, n)
        .split(xi, xi, xv, lanes * s.stride_x, TailStrategy::GuardWithIf)
        .vectorize(xv);
    s.output.fuse(yo, z, task).parallel(task).fuse(g, n, item).parallel(item);

    // The accumulators of one phase stay in registers for all of its taps; the phases interleave when the tile is stored.
    s.phases.compute_at(s.output, xo)
        .bound_extent(c, block)
        .bound_extent(q, columns)
        .bound_extent(rx, s.stride_x)
        .bound_extent(y, 1)
        .bound_extent(z, 1)
        .reorder_storage(q, rx, c)
        .reorder(q, c, rx)
        .vectorize(q, lanes)
        .unroll(q)
        .unroll(c);
    s.sum.compute_at(s.phases, rx)
        .align_bounds(c, block)
        .reorder_storage(q, c)
        .reorder(q, c)
        .vectorize(q, lanes)
        .unroll(q)
        .unroll(c)
        .update()
        .reorder(q, c, s.taps[0], s.taps[1], s.taps[2], s.taps[3])
        .vectorize(q, lanes)
        .unroll(q)
        .unroll(c);

    // The copy walks as the input is in memory: in ncdhw the rows of a channel lie one after the other, in ndhwc the channels
    // of a row share cache lines.
    const Var inner = s.channels_last ? c : y, outer = s.channels_last ? y : c;
    s.slab.compute_at(s.output, task)
        .reorder_storage(x, c, y, jz)
        .reorder(x, inner, outer, jz)
        .vectorize(x, lanes, TailStrategy::GuardWithIf)
        .update()
        .reorder(s.input_columns, inner, outer, jz)
        .vectorize(s.input_columns, lanes, TailStrategy::GuardWithIf);
}

}  // namespace unstride
