#include "register_tile.h"
#include "stages.h"
#include "tasks.h"

namespace unstride {

using namespace Halide;

// Products of all taps of a position along x and y come first, then their sums. Products are in vectors across taps in
// ndhwc, across columns in ncdhw.
void schedule_taps(Stages &s, const Tile &tile) {
    const Var xi{"xi"}, xv{"xv"}, ci{"ci"};
    const int columns = 2 * tile.lanes;  // sums wait for the latency of their additions, not for registers

    s.output.split(x, tiles, xi, columns * s.interleave, TailStrategy::GuardWithIf)
        .split(c, blocks, ci, 1)
        .reorder(xi, ci, tiles, p, y, blocks, z, g, n)
        .split(xi, xi, xv, tile.lanes * s.interleave, TailStrategy::GuardWithIf)
        .vectorize(xv);
    const Var task = parallelize(s);
    compute_in_registers(s, {1, columns, tile.lanes}, q, c, LoopLevel(s.output, tiles));

    // Products are read in vectors along x, whichever way they are computed. Input is staged a few rows at a time:
    // those of a channel lie in one page then.
    s.products.compute_at(s.output, task)
        .align_bounds(c, tile.block)
        .reorder_storage(x, c, y)
        .reorder(x, c, y)
        .vectorize(x, tile.lanes, TailStrategy::RoundUp);
    const RVar column = s.products.rvars(0).front(), several("several"), inner("inner");
    const Var taps{"taps"}, rows{"rows"};
    s.products.update()
        .split(column, several, inner, tile.columns, TailStrategy::GuardWithIf)
        .split(c, taps, ci, tile.block)
        .split(y, rows, y, 4, TailStrategy::GuardWithIf)
        .reorder(inner, ci, several, taps, y, z, rows);
    if (s.channels_last) {
        s.products.update().unroll(inner).vectorize(ci, tile.lanes).unroll(ci);
        stage_input(s, c, tile.lanes, LoopLevel(s.products, rows));
        multiply_tile(s, tile, c, q, LoopLevel(s.products, several));
    } else {
        s.products.update().vectorize(inner, tile.lanes).unroll(inner).unroll(ci);
        stage_input(s, x, tile.lanes, LoopLevel(s.products, rows));
        multiply_tile(s, tile, q, c, LoopLevel(s.products, several));
    }
}

}  // namespace unstride
