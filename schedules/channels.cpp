#include "schedules.h"

namespace unstride {

using namespace Halide;

void schedule_channels(Stages &s, const Tile &tile) {
    const int block = tile.block, columns = tile.columns, lanes = tile.lanes;
    Var xo{"xo"}, xi{"xi"}, co{"co"}, ci{"ci"}, cv{"cv"};

    s.output.split(x, xo, xi, columns * s.interleave, TailStrategy::GuardWithIf).split(c, co, ci, block, TailStrategy::GuardWithIf);
    if (s.channels_last) {
        s.output.split(ci, cv, ci, lanes, TailStrategy::GuardWithIf)
            .reorder(ci, cv, xi, xo, p, y, co, z, g, n)
            .vectorize(ci)
            .unroll(cv)
            .unroll(xi);
    } else {
        s.output.reorder(xi, ci, xo, p, y, co, z, g, n).vectorize(xi, columns * s.interleave, TailStrategy::GuardWithIf);
    }
    const Var task = parallelize(s, co);
    compute_in_registers(s, tile, c, q, LoopLevel(s.output, xo));

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
