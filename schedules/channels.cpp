#include "schedules.h"

namespace unstride {

using namespace Halide;

void schedule_channels(Stages &s, const Tile &tile) {
    auto &[x, y, z, c, g, n, jz, q, rx, columns_in, taps, slab, sum, phases, output, stride_x, rows_per_task, channels_last] = s;
    const int b = tile.block, p = tile.columns, v = tile.lanes;
    Var xo{"xo"}, xi{"xi"}, co{"co"}, ci{"ci"}, cv{"cv"}, yo{"yo"}, task{"task"}, item{"item"};

    output.split(x, xo, xi, p * stride_x, TailStrategy::GuardWithIf)
        .split(y, yo, y, rows_per_task, TailStrategy::GuardWithIf)
        .split(c, co, ci, b, TailStrategy::GuardWithIf);
    if (channels_last) {
        output.split(ci, cv, ci, v, TailStrategy::GuardWithIf)
            .reorder(ci, cv, xi, xo, y, yo, z, co, g, n)
            .vectorize(ci)
            .unroll(cv);
    } else {
        output.reorder(xi, ci, xo, y, yo, z, co, g, n).vectorize(xi, p * stride_x, TailStrategy::GuardWithIf);
    }
    // Blocks of output channels go outside the rows: the panels of one block stay in L2 for all of them.
    output.fuse(yo, z, task).fuse(task, co, task).parallel(task).fuse(g, n, item).parallel(item);

    phases.compute_at(output, xo)
        .bound_extent(c, b).bound_extent(q, p).bound_extent(rx, stride_x).bound_extent(y, 1).bound_extent(z, 1)
        .reorder_storage(c, q, rx).reorder(c, q, rx)
        .vectorize(c, v).unroll(c).unroll(q);
    sum.compute_at(phases, rx)
        .align_bounds(c, b)
        .vectorize(c, v).unroll(c).unroll(q)
        .update()
        .reorder(c, q, taps[0], taps[1], taps[2], taps[3])
        .vectorize(c, v).unroll(c).unroll(q);

    slab.compute_at(output, task);
    if (channels_last) {
        slab.reorder_storage(c, x, y, jz).reorder(c, x, y, jz).vectorize(c, v, TailStrategy::GuardWithIf)
            .update().reorder(c, columns_in, y, jz).vectorize(c, v, TailStrategy::GuardWithIf);
    } else {
        slab.reorder_storage(x, c, y, jz).reorder(x, y, c, jz).vectorize(x, v, TailStrategy::GuardWithIf)
            .update().reorder(columns_in, y, c, jz).vectorize(columns_in, v, TailStrategy::GuardWithIf);
    }
}

}  // namespace unstride
