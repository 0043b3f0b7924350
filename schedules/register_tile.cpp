#include "register_tile.h"

namespace unstride {

using namespace Halide;
using Internal::as_const_int;
using Internal::simplify;

namespace {

// The loops over a tile of one phase, in full vectors and unrolled, so that its values are registers.
struct RegisterTile {
    const Tile &tile;
    const Var &vectors, &broadcasts;
    int channels_at_once = 1;  // input channels to a turn of the innermost loop of a sum

    Stage unroll(const Stage &stage) const {
        return Stage(stage).vectorize(vectors, tile.lanes).unroll(vectors).unroll(broadcasts);
    }

    void unroll(Func f, int phases) const {
        f.bound_extent(c, tile.block)
            .bound_extent(q, tile.columns)
            .bound_extent(rx, phases)
            .bound_extent(y, 1)
            .bound_extent(z, 1)
            .reorder_storage(vectors, broadcasts, rx)
            .reorder(vectors, broadcasts, rx);
        unroll(Stage(f));
    }

    // Both loops over the tile unrolled, its accumulators are registers from the first tap to the last.
    void accumulate(Stage update, const RDom &taps) const {
        const RVar several{"several"}, channel{"channel"};
        std::vector<VarOrRVar> loops{vectors, broadcasts, channel, several};
        for (int d = 1; d < taps.dimensions(); d++) {
            loops.emplace_back(taps[d]);
        }
        unroll(update.split(taps[0], several, channel, channels_at_once, TailStrategy::GuardWithIf)
                   .reorder(loops)
                   .unroll(channel));
    }
};

// Where the taps along x are all there and their number is known, a loop over them would take as long as they do: with
// vectors along x, input gradients of single output channels take 0.8 to 0.96 of the time without it, and those of
// depthwise layers 0.88. With vectors across channels they take 1.0 to 1.5, and where a tap may be missing, as in the
// forward, 1.02 to 1.13.
void unroll_known_taps(Stages &s) {
    const RVar along_x = s.taps.back()[1];
    if (s.tap_columns.defined() && as_const_int(simplify(along_x.extent()))) {
        s.sum.update().unroll(along_x);
    }
}

}  // namespace

void compute_in_registers(Stages &s, const Tile &tile, const Var &vectors, const Var &broadcasts,
                          const LoopLevel &tiles) {
    const RegisterTile registers{tile, vectors, broadcasts};
    // A phase that is done is stored from the registers or, to be interleaved, set down beside the others of its tile.
    if (s.interleave > 1) {
        registers.unroll(s.phases.compute_at(tiles), s.interleave);
        registers.unroll(s.sum.compute_at(s.phases, rx), 1);
    } else {
        registers.unroll(s.sum.compute_at(tiles), 1);
    }
    for (size_t i = 0; i < s.taps.size(); i++) {
        registers.accumulate(s.sum.update(static_cast<int>(i)), s.taps[i]);
    }
    unroll_known_taps(s);
    // Loops around a loop of one turn would take most of the time.
    if (s.slab_channels.defined()) {
        s.sum.update().specialize(s.slab_channels == 1);
    }
}

void turn_tile(Stages &s, const Tile &tile, const LoopLevel &tiles) {
    const Var ci{"ci"};
    s.turned = s.phases.in(s.output);
    s.turned.compute_at(tiles)
        .bound_extent(c, tile.block)
        .bound_extent(q, tile.columns)
        .bound_extent(rx, s.interleave)
        .reorder_storage(rx, q, c)
        .split(c, c, ci, tile.lanes)
        .reorder(rx, q, ci, c)
        .vectorize(ci)
        .unroll(rx)
        .unroll(q)
        .unroll(c);
}

void multiply_in_registers(Stages &s, const Tile &tile, const LoopLevel &blocks) {
    const Var qi{"qi"};
    // One product of all positions in turn: its panel of weights stays in the first-level cache, and its accumulators
    // in registers.
    s.products.compute_at(blocks)
        .bound_extent(c, tile.block)
        .bound_extent(rx, s.interleave)
        .split(q, q, qi, tile.columns, TailStrategy::RoundUp)
        .reorder(c, qi, q, y, z, n, my, mz, rx)
        .reorder_storage(c, q, my, mz, y, z, rx)
        .vectorize(c, tile.lanes)
        .unroll(c)
        .unroll(qi);
    multiply_tile(s, tile, c, q, LoopLevel(s.products, q));
}

void multiply_tile(Stages &s, const Tile &tile, const Var &vectors, const Var &broadcasts, const LoopLevel &tiles) {
    // The loop over input channels takes four instructions a turn, which a tile of 8 accumulators notices: with AVX2,
    // four turns at once take 0.94 of the time on s1k3, dilated and gan3d_2. Tiles of 12, and direct sums, gain
    // nothing. Vectors of fewer than 8 numbers are of f64 or for old processors, which are not worth the time to
    // compile more.
    const bool is_small = tile.block * tile.columns == 8 * tile.lanes && tile.lanes >= 8;
    const RegisterTile registers{tile, vectors, broadcasts, is_small ? 4 : 1};
    registers.unroll(s.product.compute_at(tiles), 1);
    registers.accumulate(s.product.update(), s.product_taps);
}

}  // namespace unstride
