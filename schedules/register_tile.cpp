#include "schedules.h"

namespace unstride {

using namespace Halide;

void compute_in_registers(Stages &s, const Tile &tile, const Var &vectors, const Var &broadcasts, const LoopLevel &tiles) {
    const auto in_vectors = [&](const Stage &stage) {
        return Stage(stage).vectorize(vectors, tile.lanes).unroll(vectors).unroll(broadcasts);
    };
    const auto one_tile = [&](Func f, int phases) {
        f.bound_extent(c, tile.block)
            .bound_extent(q, tile.columns)
            .bound_extent(rx, phases)
            .bound_extent(y, 1)
            .bound_extent(z, 1)
            .reorder_storage(vectors, broadcasts, rx)
            .reorder(vectors, broadcasts, rx);
        in_vectors(f);
    };
    // A phase that is done is stored from the registers or, to be interleaved, set down beside the others of its tile.
    if (s.interleave > 1) {
        one_tile(s.phases.compute_at(tiles), s.interleave);
        one_tile(s.sum.compute_at(s.phases, rx), 1);
    } else {
        one_tile(s.sum.compute_at(tiles), 1);
    }
    // Both loops over the tile unrolled, its accumulators are registers from the first tap to the last.
    in_vectors(s.sum.update().reorder(vectors, broadcasts, s.taps[0], s.taps[1], s.taps[2], s.taps[3]));
}

}  // namespace unstride
