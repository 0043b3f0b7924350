#include "outer_products.h"

namespace unstride {

using namespace Halide;

namespace {

// Loads channels that lie apart in memory along the columns, and turns blocks of four channels by four columns in
// registers.
void turn(Operand &operand, const LoopLevel &level, const LoopLevel &storage) {
    constexpr int side = 4;
    Var i{"i"}, xi{"xi"};
    operand.rows.compute_at(level)
        .hoist_storage(storage)
        .bound(x, 0, (operand.columns + side - 1) / side * side)
        .bound_extent(lane, operand.width)
        .split(lane, lane, i, side)
        .split(x, x, xi, side)
        .reorder(i, xi, lane, x, y, z, n, block)
        .vectorize(i)
        .unroll(xi)
        .unroll(lane);
    operand.source.compute_at(operand.rows, lane)
        .bound_extent(c, side)
        .bound_extent(x, side)
        .reorder_storage(c, x)
        .reorder(c, x)
        .vectorize(x)
        .unroll(c);
}

void stage(const OuterProducts &s, Operand &operand, const LoopLevel &level, int lanes) {
    Var i{"i"};
    operand.staged.compute_at(level)
        .bound(x, 0, operand.columns_of_phase)
        .bound(p, 0, operand.phases)
        .bound(y, 0, s.rows)
        .bound(z, 0, s.slices)
        .bound(n, 0, s.items)
        .bound_extent(lane, operand.width);
    if (operand.width == 1 && !s.channels_last) {
        // Vectors are loaded whole along the columns, and shuffled, where the distance of a phase's columns is known.
        operand.staged.vectorize(x, lanes, TailStrategy::GuardWithIf);
        for (const int phases : {1, 2}) {
            operand.staged.specialize(operand.phases == phases);
        }
        return;
    }
    operand.staged.split(lane, lane, i, std::min(operand.width, lanes))
        .reorder(i, lane, x, p, y, z, n, block)
        .vectorize(i)
        .unroll(lane);
    if (!s.channels_last && operand.width % 4 == 0) {
        turn(operand, LoopLevel(operand.staged, y), level);
    }
}

}  // namespace

void schedule_outer_products(OuterProducts &s, const Tile &tile) {
    Var i{"i"};
    s.partial.update()
        .reorder(lane, other, other_block, lane_block, tap_x, tap_y, tap_z)
        .vectorize(lane, tile.lanes)
        .unroll(lane)
        .unroll(other);
    s.sum.compute_at(s.partial, other_block)
        .bound_extent(lane, tile.block)
        .bound_extent(other, tile.columns)
        .vectorize(lane, tile.lanes)
        .unroll(lane)
        .unroll(other);
    s.sum.update()
        .reorder(lane, other, s.positions[0], s.positions[1], s.positions[2], s.positions[3])
        .vectorize(lane, tile.lanes)
        .unroll(lane)
        .unroll(other);
    stage(s, s.input, LoopLevel(s.partial, Var::outermost()), tile.lanes);
    stage(s, s.grad_output, LoopLevel(s.partial, tap_y), tile.lanes);
}

}  // namespace unstride
