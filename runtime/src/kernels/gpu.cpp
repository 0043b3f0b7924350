// The cost of all kernels for GPUs, which are those of schedules/gpu.cpp: in cycles of a GPU's processor (a
// multiprocessor of CUDA) that issues four warps' instructions a cycle, FMAs or others, and serves one line of 128
// bytes from its cache. It was not yet compared with measurements.

#include <algorithm>

#include "kernels/catalog.h"
#include "problem/checked.h"

namespace unstride {
namespace {

constexpr int64_t warp = 32, warps_of_block = 4;  // as schedules/gpu.cpp has them
constexpr double processors = 132;                // of an H100 or H200
constexpr double latency = 40;                    // cycles of a step, whose FMAs wait for loads from the cache

// How the threads of a warp lie: across so many blocks of output channels, and tiles of positions.
struct Warp {
    int64_t blocks, tiles;
};

Warp warp_of(const Entry &entry) {
    const Variant &v = entry.variant;
    const bool across_channels_of_tile = entry.facts->inputs == Inputs::own && entry.across == Lanes::channels;
    if (across_channels_of_tile) {
        return {1, 1};
    }
    const int64_t blocks = v.layout == Layout::ndhwc && v.block >= 8 ? std::max<int64_t>(warp / v.block, 1) : 1;
    return {blocks, warp / blocks};
}

int64_t warps(const Entry &entry, const Geometry &geometry) {
    const Variant &v = entry.variant;
    const auto &[z, y, x] = geometry.extent;
    const auto [groups, inputs, outputs] = entry.rules->channels_seen(geometry.channels);
    const Warp w = warp_of(entry);
    const int64_t phases = v.stride_x > 1 ? 1 : std::min(x.axis.stride, x.output);
    const int64_t tiles =
        divide_up(product({tiles_in_phase(v.columns, x), y.output, z.output}), w.tiles * warps_of_block) *
        warps_of_block;
    return product({tiles, divide_up(divide_up(outputs, v.block), w.blocks), phases, groups, geometry.batch});
}

// Cycles that a warp takes for an input channel of a tap.
double cycles_of_warp(const Entry &entry) {
    const Variant &v = entry.variant;
    const Warp w = warp_of(entry);
    const bool across = w.tiles == 1;
    const double block = across ? 1 : as_double(v.block), columns = as_double(v.columns),
                 at_once = entry.facts->inputs_per_load;
    // Each thread's columns are neighbours in ncdhw, and lie in lines of their own in ndhwc.
    const double lines_of_load = v.layout == Layout::ncdhw ? columns : as_double(w.tiles);
    const double weights = std::max(1.0, block / 4), loads = columns / at_once + weights;
    return std::max(block * columns / 4 + loads, columns / at_once * lines_of_load + weights);
}

Estimate estimate_gpu(const Entry &entry, const Geometry &geometry, const Split & /*split*/,
                      const Machine & /*machine*/) {
    const Variant &v = entry.variant;
    const auto &[z, y, x] = geometry.extent;
    const double steps =
        as_double(entry.rules->channels_seen(geometry.channels).inputs) * taps(x) * taps(y) * taps(z) * v.stride_x;
    // Few warps cannot hide the latency of their steps behind those of others.
    const double all = as_double(warps(entry, geometry)), outputs = as_double(v.block * v.columns * v.stride_x);
    const bool whole_sectors = v.layout == Layout::ndhwc || v.stride_x > 1 || x.axis.stride == 1;
    return {steps * std::max(all * cycles_of_warp(entry), processors * latency),
            all * outputs * (whole_sectors ? 1 : 2), 0};
}

// A task is a block of threads.
Split split_gpu(const Entry &entry, const Geometry &geometry, int64_t /*rows*/, const Machine & /*machine*/) {
    return {1, 1, 1, 1, warps(entry, geometry) / warps_of_block, false};
}

int64_t no_scratch(const Entry & /*entry*/, const Geometry & /*geometry*/, const Split & /*split*/) {
    return 0;
}

}  // namespace

const CostModel gpu_cost{estimate_gpu, split_gpu, no_scratch};

}  // namespace unstride
