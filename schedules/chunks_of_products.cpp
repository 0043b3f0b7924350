#include "chunks_of_products.h"

namespace unstride {

using namespace Halide;

namespace {

constexpr int threads_of_block = 128;

// Shares the tiles of the weights of all chunks among threads. `inner` are loops of a thread around its tile.
void share_tiles(const ChunksOfProducts &s, const Tile &tile, Stage stage, std::vector<VarOrRVar> inner) {
    const Var lane{"lane"}, lane_block{"lane_block"}, other{"other"}, other_block{"other_block"};
    const Var tiles{"tiles"}, thread{"thread"};
    stage.split(co, lane_block, lane, tile.block, TailStrategy::RoundUp)
        .split(ci, other_block, other, tile.columns, TailStrategy::RoundUp)
        .fuse(s.channels_last ? lane_block : tap, s.channels_last ? tap : lane_block, tiles)
        .split(tiles, tiles, thread, threads_of_block, TailStrategy::GuardWithIf)
        .fuse(tiles, g, tiles);
    inner.insert(inner.begin(), {VarOrRVar(lane), VarOrRVar(other)});
    inner.insert(inner.end(), {VarOrRVar(thread), VarOrRVar(tiles), VarOrRVar(other_block), VarOrRVar(chunk)});
    stage.reorder(inner)
        .gpu_blocks(tiles, other_block, chunk)
        .gpu_threads(thread)
        .unroll(lane)
        .unroll(other)
        .never_partition_all();
}

// A tile's sums are registers of a thread.
void accumulate(Stage stage, std::vector<VarOrRVar> loops) {
    loops.insert(loops.begin(), {VarOrRVar(co), VarOrRVar(ci)});
    stage.reorder(loops).unroll(co).unroll(ci).never_partition_all();
}

}  // namespace

// A thread has a tile of the weights of one tap and chunk. Threads whose numbers follow each other load what is side by
// side in memory: in ndhwc, gradients of one position for blocks of output channels, and in ncdhw those that the taps
// of one position meet. The input is the same for all of them.
void schedule_chunks_of_products(ChunksOfProducts &s, const Tile &tile) {
    share_tiles(s, tile, s.sums, {});
    share_tiles(s, tile, s.sums.update(), {s.runs});
    s.in_run.compute_at(s.sums, s.runs)
        .store_in(MemoryType::Register)
        .bound_extent(co, tile.block)
        .bound_extent(ci, tile.columns);
    for (const Var &one : {tap, g, chunk, run_of_chunk}) {
        s.in_run.bound_extent(one, 1);
    }
    for (Func &box : s.boxes) {
        box.compute_at(s.sums, s.runs).store_in(MemoryType::Register);
        for (const Var &one : {tap, chunk, run_of_chunk}) {
            box.bound_extent(one, 1);
        }
    }
    accumulate(s.in_run, {});
    accumulate(s.in_run.update(), {s.positions[0], s.positions[1], s.positions[2], s.positions[3]});
}

}  // namespace unstride
