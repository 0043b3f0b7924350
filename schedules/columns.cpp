#include "register_tile.h"
#include "stages.h"
#include "tasks.h"

namespace unstride {

using namespace Halide;

// Vectors lie across output columns; weights are broadcast, and phases interleave on the store.
void schedule_columns(Stages &s, const Tile &tile) {
    const int block = tile.block, columns = tile.columns, lanes = tile.lanes;
    Var xi{"xi"}, xv{"xv"}, ci{"ci"};

    // Rows go inside blocks of output channels: those of a channel lie one after the other in ncdhw, and stores to a
    // few channels at a time keep to a few pages.
    if (block == 1) {
        // Vectors first, then tiles of them: those of a row's last tile that lie behind the row are not stored, where a
        // masked store of nothing costs as much as one of something. Tiles of several channels lose up to a third by
        // it: their full ones are guarded, too.
        s.output.split(x, x, xv, lanes * s.interleave, TailStrategy::GuardWithIf)
            .split(x, tiles, xi, columns / lanes, TailStrategy::GuardWithIf);
    } else {
        s.output.split(x, tiles, xi, columns * s.interleave, TailStrategy::GuardWithIf)
            .split(xi, xi, xv, lanes * s.interleave, TailStrategy::GuardWithIf);
    }
    s.output.split(c, blocks, ci, block, TailStrategy::GuardWithIf)
        .reorder(xv, xi, ci, tiles, p, y, blocks, z, g, n)
        .vectorize(xv)
        .never_partition(xi);
    const Var task = parallelize(s);
    compute_in_registers(s, tile, q, c, LoopLevel(s.output, tiles));  // phases interleave when the tile is stored
    stage_input(s, x, lanes, LoopLevel(s.output, task));
}

}  // namespace unstride
