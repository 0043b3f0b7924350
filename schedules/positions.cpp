#include "positions.h"

#include <algorithm>

#include "partial_sums.h"

namespace unstride {

using namespace Halide;

namespace {

const Var task{"task"}, ci{"ci"}, block{"block"}, tx{"tx"}, ty{"ty"};

// What a channel has of a chunk is a vector of partial sums in registers. A task has a few channels, as one alone would
// take less than a microsecond.
void schedule_columns_of_positions(PositionStages &s) {
    constexpr int channels_of_task = 8;
    s.sums.split(c, block, ci, channels_of_task, TailStrategy::GuardWithIf)
        .fuse(block, chunk, task)
        .fuse(task, items_group, task)
        .parallel(task);
    s.partial.compute_at(s.sums, ci).store_in(MemoryType::Stack).bound_extent(l, partial_sums).vectorize(l);
    s.partial.update(0).reorder(l, s.full[0], s.full[1]).vectorize(l);
    s.partial.update(1).unscheduled();  // some numbers at the end of an item, one after the other
}

// The partial sums of a chunk stay in the first-level cache: memory is read in its order, and is slower than a cache
// that adds to them.
void schedule_channels_of_positions(PositionStages &s) {
    constexpr int channels_of_task = 256;
    s.sums.split(c, block, ci, channels_of_task, TailStrategy::GuardWithIf)
        .fuse(block, chunk, task)
        .fuse(task, items_group, task)
        .parallel(task)
        .vectorize(ci, s.vector, TailStrategy::GuardWithIf);
    s.partial.compute_at(s.sums, task)
        .bound_extent(l, partial_sums)
        .align_bounds(c, s.vector)
        .reorder_storage(c, l, chunk, items_group)
        .reorder(c, l)
        .vectorize(c, s.vector);
    s.partial.update(0).reorder(c, l, s.full[0], s.full[1]).vectorize(c, s.vector);
    s.partial.update(1).reorder(c, s.rest[0], s.rest[1]).vectorize(c, s.vector);
}

// A block of threads has a chunk of some channels, and a thread one partial sum of a channel. Threads whose numbers
// follow each other read what is side by side in memory.
void schedule_gpu_positions(PositionStages &s) {
    const int channels = channels_of_block(s.lanes);
    s.sums.split(c, block, ci, channels, TailStrategy::GuardWithIf)
        .reorder(ci, chunk, block, items_group)
        .gpu_blocks(chunk, block, items_group)
        .gpu_threads(ci)
        .never_partition_all();
    s.partial.compute_at(s.sums, chunk)
        .store_in(MemoryType::GPUShared)
        .bound_extent(l, partial_sums)
        .bound_extent(c, channels);
    const auto share = [&](Stage stage, const VarOrRVar &lane) {
        const bool across_channels = s.lanes == Lanes::channels;
        stage.gpu_threads(across_channels ? VarOrRVar(c) : lane, across_channels ? lane : VarOrRVar(c));
        stage.never_partition_all();
    };
    share(s.partial, l);
    share(s.partial.update(0), l);
    share(s.partial.update(1), s.rest[0]);
}

}  // namespace

// Chunks and blocks of channels are tasks. Each has what a channel sums up there in a place of its own.
void schedule_positions(PositionStages &s) {
    if (s.gpu) {
        schedule_gpu_positions(s);
    } else if (s.lanes == Lanes::columns) {
        schedule_columns_of_positions(s);
    } else {
        schedule_channels_of_positions(s);
    }
    s.sums.specialize(s.has_one_row);
}

}  // namespace unstride
