#include <algorithm>

#include "tasks.h"

namespace unstride {

using namespace Halide;

namespace {

// Stages channels innermost that lie apart in the input: a cache line's worth of them at a time is first turned in
// blocks of 4 channels by 4 columns, which LLVM transposes best (80 instructions for 64 floats; 147 in blocks of 8 by
// 4). That is done for all rows of a slice, which stay in the first-level cache; for minimal filters for all slices, as
// pairs of them share what they read.
void stage_turned(Stages &s, int lanes, const LoopLevel &tasks) {
    const int side = 4, line = 16;
    const Var several{"several"}, ci{"ci"}, xi{"xi"};

    const auto stage = [&](Stage rows, const VarOrRVar &column) {
        std::vector<VarOrRVar> loops{ci, c, column};
        loops.insert(loops.end(), s.slab_rows.begin(), s.slab_rows.end());
        if (s.minimal_filters) {
            loops.insert(loops.end(), {z, g, n, several});
        } else {
            loops.insert(loops.end(), {several, z, g, n});
        }
        rows.split(c, several, c, line)
            .split(c, c, ci, lanes)
            .reorder(loops)
            .vectorize(ci)
            .unroll(c)
            .never_partition(several);
    };
    s.slab.align_bounds(c, line);
    stage(s.slab, x);
    stage(s.slab.update(), s.input_columns);

    Func turned = s.source.in(s.slab);
    turned.compute_at(s.slab, several)
        .hoist_storage(tasks)
        .reorder_storage(c, x)
        .split(c, c, ci, side)
        .split(x, x, xi, side, TailStrategy::RoundUp)
        .reorder(ci, xi, c, x, y, z)
        .vectorize(ci)
        .unroll(xi)
        .unroll(c);
    s.source.compute_at(turned, c)
        .bound_extent(c, side)
        .bound_extent(x, side)
        .reorder_storage(c, x)
        .reorder(c, x)
        .vectorize(x)
        .unroll(c);
}

}  // namespace

void stage_input(Stages &s, const Var &dense, int lanes, const LoopLevel &tasks) {
    const bool across_channels = dense.same_as(c);
    std::vector<Var> storage = across_channels ? std::vector<Var>{c, x} : std::vector<Var>{x, c};
    storage.insert(storage.end(), s.slab_rows.begin(), s.slab_rows.end());
    s.slab.compute_at(tasks).reorder_storage(storage);
    if (across_channels && !s.channels_last) {
        stage_turned(s, lanes, tasks);
        return;
    }

    // The copy walks as the input is in memory: in ncdhw the rows of a channel lie one after the other, in ndhwc the
    // channels of a row share cache lines.
    const auto stage = [&](Stage rows, const VarOrRVar &column, TailStrategy tail) {
        std::vector<VarOrRVar> loops{storage.begin(), storage.end()};
        loops[across_channels ? 1 : 0] = column;
        if (!s.channels_last) {
            const auto rows_of_channel =
                std::find_if(storage.begin(), storage.end(), [](const Var &v) { return v.same_as(y); });
            std::rotate(loops.begin() + 1, loops.begin() + 2, loops.begin() + (rows_of_channel - storage.begin()) + 1);
        }
        if (across_channels && s.slab_channels.defined()) {
            // Vectors of few channels would store their elements under a mask, which takes a dozen cycles.
            std::vector<VarOrRVar> along_x = loops;
            std::swap(along_x[0], along_x[1]);
            rows.specialize(s.slab_channels == 1).reorder(along_x).vectorize(column, lanes, tail);
            rows.specialize(s.slab_channels < lanes).reorder(along_x);
        }
        rows.reorder(loops).vectorize(loops[0], lanes, tail);
    };
    if (s.slab_channels.defined()) {
        s.slab.bound(c, 0, s.slab_channels);
    }
    // A row is cleared in whole vectors, which takes no mask at its end. Channels are those of the input.
    stage(s.slab, x, across_channels ? TailStrategy::GuardWithIf : TailStrategy::RoundUp);
    stage(s.slab.update(), s.input_columns, TailStrategy::GuardWithIf);
    if (s.input_step.defined()) {
        // Vectors are loaded whole, and shuffled, where the step is known; elsewhere element by element.
        for (const int step : {1, 2}) {
            s.slab.update().specialize(s.input_step == step);
        }
        s.slab.update(1).unscheduled();
        s.tap_columns.compute_at(tasks);
    }
}

}  // namespace unstride
