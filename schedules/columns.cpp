#include "schedules.h"

namespace unstride {

using namespace Halide;

void schedule_columns(Stages &s, const Tile &tile) {
    auto &[x, y, z, c, g, n, jz, q, rx, columns_in, taps, slab, sum, phases, output, stride_x, rows_per_task, channels_last] = s;
    const int b = tile.block, p = tile.columns, v = tile.lanes;
    Var xo{"xo"}, xi{"xi"}, xv{"xv"}, co{"co"}, ci{"ci"}, yo{"yo"}, task{"task"}, item{"item"};

    output.split(x, xo, xi, p * stride_x, TailStrategy::GuardWithIf)
        .split(y, yo, y, rows_per_task, TailStrategy::GuardWithIf)
        .split(c, co, ci, b, TailStrategy::GuardWithIf)
        .reorder(xi, ci, xo, y, co, yo, z, g, n)
        .split(xi, xi, xv, v * stride_x, TailStrategy::GuardWithIf)
        .vectorize(xv);
    output.fuse(yo, z, task).parallel(task).fuse(g, n, item).parallel(item);

    phases.compute_at(output, xo)
        .bound_extent(c, b).bound_extent(q, p).bound_extent(rx, stride_x).bound_extent(y, 1).bound_extent(z, 1)
        .reorder_storage(q, rx, c).reorder(q, c, rx)
        .vectorize(q, v).unroll(q).unroll(c);
    sum.compute_at(phases, rx)
        .align_bounds(c, b)
        .reorder_storage(q, c).reorder(q, c)
        .vectorize(q, v).unroll(q).unroll(c)
        .update()
        .reorder(q, c, taps[0], taps[1], taps[2], taps[3])
        .vectorize(q, v).unroll(q).unroll(c);

    // Rows of a channel follow one another in memory: they are read and, above, written in this order.
    slab.compute_at(output, task).reorder_storage(x, c, y, jz).reorder(x, y, c, jz).vectorize(x, v, TailStrategy::GuardWithIf)
        .update().reorder(columns_in, y, c, jz).vectorize(columns_in, v, TailStrategy::GuardWithIf);
}

}  // namespace unstride
