#include "schedules.h"

namespace unstride {

using namespace Halide;

void schedule_columns(Stages &s, const Tile &tile) {
    const int block = tile.block, columns = tile.columns, lanes = tile.lanes;
    Var xi{"xi"}, xv{"xv"}, ci{"ci"};

    // Rows go inside blocks of output channels: those of a channel lie one after the other in ncdhw, and stores to a few
    // channels at a time keep to a few pages.
    s.output.split(x, tiles, xi, columns * s.interleave, TailStrategy::GuardWithIf)
        .split(c, blocks, ci, block, TailStrategy::GuardWithIf)
        .reorder(xi, ci, tiles, p, y, blocks, z, g, n)
        .split(xi, xi, xv, lanes * s.interleave, TailStrategy::GuardWithIf)
        .vectorize(xv);
    const Var task = parallelize(s);
    compute_in_registers(s, tile, q, c, LoopLevel(s.output, tiles));  // phases interleave when the tile is stored
    stage_input(s, x, lanes, LoopLevel(s.output, task));
}

}  // namespace unstride
