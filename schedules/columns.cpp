#include "schedules.h"

namespace unstride {

using namespace Halide;

void schedule_columns(Stages &s, const Tile &tile) {
    const int block = tile.block, columns = tile.columns, lanes = tile.lanes;
    Var xo{"xo"}, xi{"xi"}, xv{"xv"}, co{"co"}, ci{"ci"};

    // Rows go inside blocks of output channels: those of a channel lie one after the other in ncdhw, and stores to a few
    // channels at a time keep to a few pages.
    s.output.split(x, xo, xi, columns * s.interleave, TailStrategy::GuardWithIf)
        .split(c, co, ci, block, TailStrategy::GuardWithIf)
        .reorder(xi, ci, xo, p, y, co, z, g, n)
        .split(xi, xi, xv, lanes * s.interleave, TailStrategy::GuardWithIf)
        .vectorize(xv);
    const Var task = parallelize(s, co);
    compute_in_registers(s, tile, q, c, LoopLevel(s.output, xo));  // phases interleave when the tile is stored

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
