#include "schedules.h"

namespace unstride {

using namespace Halide;

void schedule_gpu(Stages &s, const Tile &tile, bool across_channels) {
    const Var xi{"xi"}, ci{"ci"}, tx{"tx"}, ty{"ty"};
    const int interleave = s.interleave, threads = 128, warp = 32;

    const int registers_c = across_channels ? 1 : tile.block;
    s.output.split(x, x, xi, tile.columns * interleave, TailStrategy::GuardWithIf).split(c, blocks, ci, tile.block, TailStrategy::GuardWithIf).fuse(x, y, tiles).fuse(tiles, z, tiles);
    if (across_channels) {
        s.output.split(ci, ci, tx, warp, TailStrategy::GuardWithIf).split(tiles, tiles, ty, threads / warp, TailStrategy::GuardWithIf);
        s.output.reorder(xi, tx, ty, ci, tiles, blocks, g, p, n).fuse(ci, tiles, tiles).gpu_threads(tx, ty);
    } else {
        s.output.split(tiles, tiles, tx, threads, TailStrategy::GuardWithIf);
        s.output.reorder(xi, ci, tx, tiles, blocks, g, p, n).gpu_threads(tx).unroll(ci);
    }
    // A grid has three dimensions, of which only the first may be long.
    s.output.fuse(blocks, g, blocks).fuse(p, n, p).gpu_blocks(tiles, blocks, p).unroll(xi).never_partition_all();

    const auto unroll = [&](Stage stage, const std::vector<VarOrRVar> &taps) {
        std::vector<VarOrRVar> loops{c, q};
        loops.insert(loops.end(), taps.begin(), taps.end());
        loops.emplace_back(rx);
        stage.reorder(loops).unroll(c).unroll(q).unroll(rx).never_partition_all();
    };
    s.sum.compute_at(s.output, tx).store_in(MemoryType::Register).bound_extent(c, registers_c).bound_extent(q, tile.columns).bound_extent(rx, interleave);
    for (const Var &one : {y, z, g, n}) {
        s.sum.bound_extent(one, 1);
    }
    unroll(s.sum, {});
    unroll(s.sum.update(), {s.taps[0], s.taps[1], s.taps[2], s.taps[3]});
}

}  // namespace unstride
