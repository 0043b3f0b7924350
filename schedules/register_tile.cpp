#include "schedules.h"

namespace unstride {

using namespace Halide;

void compute_in_registers(Stages &s, const Tile &tile, const Var &vectors, const Var &broadcasts, const LoopLevel &tiles) {
    // A phase that is done is set down beside the others of its tile.
    s.phases.compute_at(tiles)
        .bound_extent(c, tile.block)
        .bound_extent(q, tile.columns)
        .bound_extent(rx, s.stride_x)
        .bound_extent(y, 1)
        .bound_extent(z, 1)
        .reorder_storage(vectors, broadcasts, rx)
        .reorder(vectors, broadcasts, rx)
        .vectorize(vectors, tile.lanes)
        .unroll(vectors)
        .unroll(broadcasts);
    // Both loops over the tile unrolled, its accumulators are registers from the first tap to the last.
    s.sum.compute_at(s.phases, rx)
        .align_bounds(c, tile.block)
        .reorder_storage(vectors, broadcasts)
        .reorder(vectors, broadcasts)
        .vectorize(vectors, tile.lanes)
        .unroll(vectors)
        .unroll(broadcasts)
        .update()
        .reorder(vectors, broadcasts, s.taps[0], s.taps[1], s.taps[2], s.taps[3])
        .vectorize(vectors, tile.lanes)
        .unroll(vectors)
        .unroll(broadcasts);
}

}  // namespace unstride
