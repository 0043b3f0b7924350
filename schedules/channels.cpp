#include "register_tile.h"
#include "stages.h"
#include "tasks.h"

namespace unstride {

using namespace Halide;

// Vectors lie across output channels; inputs are broadcast.
void schedule_channels(Stages &s, const Tile &tile) {
    const int block = tile.block, columns = tile.columns, lanes = tile.lanes;
    Var xi{"xi"}, ci{"ci"}, cv{"cv"}, uy{"uy"}, uz{"uz"};

    // Minimal filters give rows and slices in pairs; else the loops over uy and uz have one turn.
    const int outputs = s.minimal_filters ? 2 : 1;
    s.output.split(x, tiles, xi, columns * s.interleave, TailStrategy::GuardWithIf)
        .split(c, blocks, ci, block, TailStrategy::GuardWithIf)
        .split(y, y, uy, outputs, TailStrategy::GuardWithIf)
        .split(z, z, uz, outputs, TailStrategy::GuardWithIf);
    if (s.channels_last) {
        s.output.split(ci, cv, ci, lanes, TailStrategy::GuardWithIf)
            .reorder(ci, cv, xi, uy, uz, tiles, p, y, blocks, z, g, n)
            .vectorize(ci)
            .unroll(cv)
            .unroll(xi);
    } else {
        s.output.reorder(xi, ci, uy, uz, tiles, p, y, blocks, z, g, n)
            .vectorize(xi, columns * s.interleave, TailStrategy::GuardWithIf);
    }
    const Var task = parallelize(s);
    compute_in_registers(s, tile, c, q, LoopLevel(s.output, uy));
    if (s.minimal_filters) {
        multiply_in_registers(s, tile, LoopLevel(s.output, p));
    }
    if (s.slab.defined()) {
        stage_input(s, c, lanes, LoopLevel(s.output, task));
    }
    if (!s.channels_last) {
        turn_tile(s, tile, LoopLevel(s.output, uy));
    }
}

}  // namespace unstride
