// What kernels of schedules/gpu.cpp take: in cycles of a GPU's processor (a multiprocessor of CUDA) that issues four warps' instructions a
// cycle, FMAs or others, and serves one line of 128 bytes from its cache. Not yet compared with measurements.

#include <algorithm>

#include "checked.h"
#include "cost_model.h"
#include "tiles.h"

namespace unstride {
namespace {

constexpr int64_t threads_of_block = 128, warp = 32;  // as schedules/gpu.cpp has them
constexpr double processors = 132;                    // of an H100 or H200
constexpr double cycles_of_latency = 40;              // of a step: loads from L1, and the FMAs that wait for them

// Outputs of a thread: `block` channels of a position if warps lie across columns, else `columns` positions of a channel.
bool across_columns(const Variant &v) {
    return !is_across_channels(v);
}

int64_t warps(const Entry &entry, const Geometry &geometry) {
    const Variant &v = entry.variant;
    const auto &[z, y, x] = geometry.extent;
    const auto [groups, inputs, outputs] = channels_seen(geometry.channels, v);
    const int64_t phases = v.stride_x > 1 ? 1 : std::min(x.axis.stride, x.output);
    const int64_t tiles = product({tiles_in_phase(v.columns, x), y.output, z.output});  // that threads, or warps, share
    const int64_t in_grid = across_columns(v) ? divide_up(tiles, threads_of_block) * (threads_of_block / warp) * divide_up(outputs, v.block)
                                              : divide_up(tiles, threads_of_block / warp) * (threads_of_block / warp) * divide_up(outputs, v.block) * divide_up(v.block, warp);
    return product({in_grid, phases, groups, geometry.batch});
}

Estimate estimate_gpu(const Entry &entry, const Geometry &geometry, const Split & /*split*/) {
    const Variant &v = entry.variant;
    const auto &[z, y, x] = geometry.extent;
    const int64_t inputs = channels_seen(geometry.channels, v).inputs;
    const double outputs = as_double(across_columns(v) ? v.block : v.columns);  // of a phase, in a thread
    // Lines of the cache that the input and the weights of a step lie in. Weights of neighbouring channels are loaded four at a time.
    const double scattered = v.layout == Layout::ndhwc ? warp : 1;
    const double lines = across_columns(v) ? scattered + std::max(1.0, outputs / 4) : outputs + 1;
    const double instructions = outputs + lines + 4;
    const double step = std::max(instructions / 4, lines);
    const double steps = as_double(inputs) * taps(x) * taps(y) * taps(z) * v.stride_x;
    // Few warps cannot hide the latency of their steps behind those of others.
    const double all = as_double(warps(entry, geometry));
    const bool own = across_columns(v) == (v.layout == Layout::ncdhw);
    return {steps * std::max(all * step, processors * cycles_of_latency), all * outputs * v.stride_x * (own ? 1 : warp), 0};
}

// A task is a block of threads.
Split split_gpu(const Entry &entry, const Geometry &geometry, int64_t /*rows*/, int /*threads*/) {
    return {1, 1, 1, 1, warps(entry, geometry) / (threads_of_block / warp), false};
}

int64_t no_scratch(const Entry & /*entry*/, const Geometry & /*geometry*/, const Split & /*split*/) {
    return 0;
}

}  // namespace

const CostModel gpu_cost{estimate_gpu, split_gpu, no_scratch};

}  // namespace unstride
