#include "register_tile.h"
#include "stages.h"
#include "tasks.h"

namespace unstride {

using namespace Halide;

// Vectors lie across channels, as in `channels`, and the weights of a tap are stationary: all tiles of a task add its
// products to their sums, which wait beside the registers, before the next tap is read. So weights come from far once
// for a task, and not once for each tile.
void schedule_stationary(Stages &s, const Tile &tile) {
    const int block = tile.block, columns = tile.columns, lanes = tile.lanes;
    Var xi{"xi"}, ci{"ci"}, cv{"cv"}, qi{"qi"};

    s.output.split(x, tiles, xi, columns, TailStrategy::GuardWithIf)
        .split(c, blocks, ci, block, TailStrategy::GuardWithIf);
    if (s.channels_last) {
        s.output.split(ci, cv, ci, lanes, TailStrategy::GuardWithIf)
            .reorder(ci, cv, xi, tiles, p, y, blocks, z, g, n)
            .vectorize(ci)
            .unroll(cv)
            .unroll(xi);
    } else {
        s.output.reorder(xi, ci, tiles, p, y, blocks, z, g, n).vectorize(xi, columns, TailStrategy::GuardWithIf);
    }
    const Var task = parallelize(s);

    s.sum.compute_at(s.output, p)
        .bound_extent(c, block)
        .bound_extent(rx, 1)
        .split(q, q, qi, columns, TailStrategy::RoundUp)
        .reorder_storage(c, q, y, z, n)
        .reorder(c, qi, q, y, z, n)
        .vectorize(c, lanes)
        .unroll(c)
        .unroll(qi);
    const RDom &taps = s.taps.front();
    s.sum.update()
        .split(q, q, qi, columns, TailStrategy::RoundUp)
        .reorder(c, qi, taps[0], taps[1], q, y, z, n, taps[2], taps[3])
        .vectorize(c, lanes)
        .unroll(c)
        .unroll(qi);
    stage_input(s, c, lanes, LoopLevel(s.output, task));
    if (!s.channels_last) {
        turn_tile(s, tile, LoopLevel(s.output, tiles));
    }
}

}  // namespace unstride
