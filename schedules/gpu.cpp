#include <algorithm>

#include "stages.h"
#include "tasks.h"

namespace unstride {

using namespace Halide;

namespace {

constexpr int warp = 32, warps = 4;  // threads of a warp, and warps of a block
constexpr int vector = 4;            // floats that a thread loads at once

// All loops over a thread's tile unrolled, its accumulators are registers from the first tap to the last. Weights are
// loaded in vectors.
void accumulate(Stage stage, const Tile &tile, std::vector<VarOrRVar> loops) {
    loops.emplace_back(rx);
    stage.reorder(loops).unroll(q).unroll(rx).never_partition_all();
    if (tile.block % vector == 0) {
        stage.vectorize(c, vector);
    }
    stage.unroll(c);
}

// Shares the tiles of the output among blocks and threads. Returns a thread's part of a tile.
Tile share_tiles(Stages &s, const Tile &tile) {
    const Var xi{"xi"}, ci{"ci"}, tx{"tx"}, ty{"ty"}, tz{"tz"};

    // Tiles are counted through the rows of a slice and through all slices, so that rows of any length fill the warps.
    s.output.split(x, x, xi, tile.columns * s.interleave, TailStrategy::GuardWithIf)
        .split(c, blocks, ci, tile.block, TailStrategy::GuardWithIf)
        .fuse(x, y, tiles)
        .fuse(tiles, z, tiles);
    Tile thread = tile;
    if (s.lanes == Lanes::channels) {  // a warp lies across the channels of a tile
        thread.block = 1;
        s.output.split(ci, ci, tx, warp)
            .split(tiles, tiles, ty, warps, TailStrategy::GuardWithIf)
            .reorder(xi, ci, tx, ty, tiles, blocks, g, p, n)
            .gpu_threads(tx, ty);
    } else {
        // In ndhwc a warp lies across 32 output channels, if tiles have some: its loads of the input then are to fewer
        // lines.
        const bool has_some = s.channels_last && tile.block >= 8;
        const int blocks_of_warp = has_some ? std::max(warp / tile.block, 1) : 1;
        const int tiles_of_warp = warp / blocks_of_warp;
        s.output.split(tiles, tiles, tz, warps * tiles_of_warp, TailStrategy::GuardWithIf)
            .split(tz, tz, tx, tiles_of_warp)
            .split(blocks, blocks, ty, blocks_of_warp, TailStrategy::GuardWithIf)
            .reorder(xi, ci, tx, ty, tz, tiles, blocks, g, p, n)
            .gpu_threads(tx, ty, tz);
    }
    // A grid has three dimensions, of which only the first may be long.
    s.output.fuse(blocks, g, blocks)
        .fuse(p, n, p)
        .gpu_blocks(tiles, blocks, p)
        .unroll(xi)
        .unroll(ci)
        .never_partition_all();

    s.sum.compute_at(s.output, tx)
        .store_in(MemoryType::Register)
        .bound_extent(c, thread.block)
        .bound_extent(q, thread.columns)
        .bound_extent(rx, s.interleave);
    accumulate(s.sum, thread, {c, q});
    return thread;
}

// Sums of a thread are of one row, and what a tap reads is of one phase.
void bound_to_one(Stages &s) {
    for (const Var &one : {y, z, g, n}) {
        s.sum.bound_extent(one, 1);
        s.slab.bound_extent(one, 1);
    }
    for (const Var &one : {rx, jx, jy, jz}) {
        s.slab.bound_extent(one, 1);
    }
}

}  // namespace

// Threads of a GPU have a tile each. Where lanes are channels, a warp has a tile, and each thread one channel of it.
void schedule_gpu(Stages &s, const Tile &tile) {
    const Tile thread = share_tiles(s, tile);
    const RDom &taps = s.taps.front();
    const RVar inputs = taps[0], kx = taps[1], ky = taps[2], kz = taps[3];
    accumulate(s.sum.update(), thread, {c, q, inputs, kx, ky, kz});
    bound_to_one(s);
}

// Threads have a tile each, whose input channels they read four at once.
void schedule_gpu_quads(Stages &s, const Tile &tile) {
    const Tile thread = share_tiles(s, tile);
    const RDom &taps = s.taps.front();
    const RVar inputs = taps[0], kx = taps[1], ky = taps[2], kz = taps[3];
    const RVar quads{"quads"}, one{"one"};
    Stage update = s.sum.update();
    update.split(inputs, quads, one, vector);
    accumulate(update, thread, {c, one, q, quads, kx, ky, kz});
    update.unroll(one);
    s.slab.compute_at(s.sum, quads)
        .store_in(MemoryType::Register)
        .bound_extent(c, vector)
        .bound_extent(q, thread.columns)
        .vectorize(c)
        .unroll(q);
    bound_to_one(s);
}

}  // namespace unstride
