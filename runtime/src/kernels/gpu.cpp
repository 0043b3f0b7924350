// What kernels of schedules/gpu.cpp take, in cycles of a GPU's processor (a multiprocessor of CUDA): what the warps of
// the fullest processor keep it busy, and for each wave of warps the latency of their trips through the innermost loop.
// A trip is busy for what its instructions take to issue, or its loads take in the cache, if that is more.
//
// Constants are those of an H100, and the same on all machines. Four are fitted to the times of the f32 variants on
// bench/layers.csv (bench/gpu/results). Choices depend little on them: with one of them half or twice as large, or
// half_sectors from 1 to 1.3, the geometric mean of what is chosen is at most 1.06 times that of the fastest variants.

#include <algorithm>
#include <cmath>

#include "kernels/catalog.h"
#include "problem/checked.h"

namespace unstride {
namespace {

constexpr int64_t warp = 32, warps_of_block = 4;  // as schedules/gpu.cpp has them

// From NVIDIA's documents.
constexpr int64_t processors = 132;
constexpr double issues = 4;          // instructions of warps that a processor issues a cycle
constexpr double registers = 65536;   // of a processor
constexpr double most_blocks = 16;    // of 128 threads, on a processor
constexpr int64_t lanes_of_quad = 8;  // threads whose 16 bytes each the cache returns in a cycle

// Counted in what ptxas makes of the kernels for compute capability 9.0.
constexpr double registers_beside_sums = 48;
constexpr double addresses = 4;          // instructions for each load of input, beside it
constexpr double loop = 5;               // and for each trip
constexpr double few_multiply_adds = 8;  // of a trip: ptxas then unrolls four trips, and has their loads wait together

// Fitted.
constexpr double latency = 300;         // of a trip: FMAs wait for weights, often from the second-level cache
constexpr double cycles_of_tap = 25;    // that a warp is busy where the loop of a tap begins
constexpr double cycles_of_store = 40;  // and for each output, with the epilogue and its share of the prologue
constexpr double half_sectors = 1.1;    // times as long, where a store writes every other element of them

// How the threads of a warp lie: across so many blocks of output channels, and tiles of positions.
struct Warp {
    int64_t blocks, tiles;
};

// Whether the threads of a warp lie across the channels of one tile.
bool is_across_warp(const Entry &entry) {
    return entry.facts->inputs == Inputs::own && entry.across == Lanes::channels;
}

Warp warp_of(const Entry &entry) {
    const Variant &v = entry.variant;
    if (is_across_warp(entry)) {
        return {1, 1};
    }
    const int64_t blocks = v.layout == Layout::ndhwc && v.block >= 8 ? std::max<int64_t>(warp / v.block, 1) : 1;
    return {blocks, warp / blocks};
}

// Input channels that a thread loads at once.
int64_t channels_of_load(const Entry &entry) {
    return entry.facts->inputs_per_load;
}

// The sums that a thread has in registers: its outputs in one phase.
double sums_of_thread(const Entry &entry) {
    const Variant &v = entry.variant;
    return as_double(is_across_warp(entry) ? v.columns : v.block * v.columns);
}

int64_t tiles_of_row(const Entry &entry, const Geometry &geometry) {
    return std::max<int64_t>(tiles_in_phase(entry.variant.columns, geometry.extent[2]), 1);
}

int64_t tiles_of_item(const Entry &entry, const Geometry &geometry) {
    return product({tiles_of_row(entry, geometry), geometry.extent[1].output, geometry.extent[0].output});
}

int64_t blocks_of_threads(const Entry &entry, const Geometry &geometry) {
    const Variant &v = entry.variant;
    const Extent &x = geometry.extent[2];
    const Warp w = warp_of(entry);
    const int64_t phases = v.stride_x > 1 ? 1 : std::min(x.axis.stride, x.output);
    return product({divide_up(tiles_of_item(entry, geometry), w.tiles * warps_of_block),
                    divide_up(blocks(entry, geometry), w.blocks), phases,
                    entry.rules->channels_seen(geometry.channels).groups, geometry.batch});
}

// The part of a warp's threads that have output channels.
double active_part(const Entry &entry, const Geometry &geometry) {
    const int64_t all = blocks(entry, geometry), of_warp = warp_of(entry).blocks;
    return as_double(all) / as_double(divide_up(all, of_warp) * of_warp);
}

// The number among so many neighbouring tiles whose input is not that of another one. Output rows of all phases read
// one input row, but with a padding that is no multiple of the stride these are not the rows of one multiple.
double distinct_tiles(int64_t tiles, const Entry &entry, const Geometry &geometry) {
    const Extent &y = geometry.extent[1];
    const double rows = as_double(tiles) / as_double(tiles_of_row(entry, geometry));
    const double stride = as_double(y.axis.stride);
    if (rows <= 1 || y.axis.tap_step() == 1) {
        return as_double(tiles);
    }
    const double of_other_phases = y.axis.padding % y.axis.stride == 0 ? 0 : stride - 1;
    return as_double(tiles) / rows * std::clamp((rows + of_other_phases) / stride, 1.0, rows);
}

// A warp's trip through the innermost loop, for so many input channels of a tap.
struct Trip {
    int64_t channels;
    double busy;
};

Trip trip_of(const Entry &entry, const Geometry &geometry) {
    const Variant &v = entry.variant;
    const Warp w = warp_of(entry);
    const bool quads = channels_of_load(entry) > 1;
    const bool unrolled = entry.facts->inputs == Inputs::shared && sums_of_thread(entry) <= few_multiply_adds;
    const double channels = quads || unrolled ? 4 : 1, columns = as_double(v.columns);
    const double block = is_across_warp(entry) ? 1 : as_double(v.block);
    const double inputs = quads ? columns : columns * channels, weights = channels * std::max(1.0, block / 4);  // loads

    // The cache takes a cycle for 128 bytes that it returns, also if they are the same weight for all threads, and for
    // each line that it reads. A thread's columns are neighbours in ncdhw, and lie in lines of their own in ndhwc.
    const double active = active_part(entry, geometry);
    double of_input = 1;
    if (quads) {
        of_input = as_double(warp / lanes_of_quad) * distinct_tiles(lanes_of_quad, entry, geometry) * active;
    } else if (v.layout == Layout::ncdhw) {
        of_input = std::max(1.0, columns * distinct_tiles(warp, entry, geometry) / as_double(warp));
    } else if (!is_across_warp(entry)) {
        of_input = distinct_tiles(w.tiles, entry, geometry) * active;
    }
    const double in_cache = inputs * of_input + channels * block * active;
    const double instructions = channels * sums_of_thread(entry) + inputs * (1 + addresses) + weights + loop;
    return {static_cast<int64_t>(channels), std::max(instructions / issues, in_cache)};
}

// The taps of the average output, and the most of any. A warp that lies across rows, or slices, of several phases takes
// all as long as the one that has most.
struct Taps {
    double average, most;
};

Taps taps_of_warp(const Entry &entry, const Geometry &geometry) {
    const Variant &v = entry.variant;
    const auto &[z, y, x] = geometry.extent;
    const auto most = [](const Extent &e) { return as_double(e.axis.most_taps(e.kernel)); };
    const auto average = [&](const Extent &e, bool several_phases) {
        return several_phases ? most(e) / as_double(e.axis.common) : taps(e);
    };
    const int64_t tiles = warp_of(entry).tiles, of_row = tiles_of_row(entry, geometry);
    const double rows = as_double(tiles) / as_double(of_row), of_slices = average(z, rows >= 2 * as_double(y.output));
    const double interleaved = as_double(v.stride_x);
    const double most_along_x = v.stride_x > 1 ? as_double(x.kernel) : most(x);
    return {taps(x) * interleaved * average(y, rows >= 2) * of_slices, most_along_x * most(y) * most(z)};
}

// Blocks of threads that a processor has registers for.
double resident_blocks(const Entry &entry) {
    const Variant &v = entry.variant;
    const double sums = sums_of_thread(entry) * as_double(v.stride_x);
    const double staged = channels_of_load(entry) > 1 ? as_double(channels_of_load(entry) * v.columns) : 0;
    const double of_block = (registers_beside_sums + sums + staged) * as_double(warp * warps_of_block);
    return std::clamp(std::floor(registers / of_block), 1.0, most_blocks);
}

Estimate estimate_gpu(const Entry &entry, const Geometry &geometry, const Split & /*split*/,
                      const Machine & /*machine*/) {
    const Variant &v = entry.variant;
    const Trip trip = trip_of(entry, geometry);
    const Taps taps = taps_of_warp(entry, geometry);
    const double trips = as_double(divide_up(entry.rules->channels_seen(geometry.channels).inputs, trip.channels));
    const int64_t all = blocks_of_threads(entry, geometry);
    const int64_t with_tiles = divide_up(tiles_of_item(entry, geometry), warp_of(entry).tiles);
    const int64_t warps = divide_up(all, processors) * std::min(warps_of_block, with_tiles);
    const double waves = std::max(1.0, as_double(all) / (as_double(processors) * resident_blocks(entry)));

    // The last wave ends with the slowest of its warps.
    const double waiting = latency * trips * (taps.most + (waves - 1) * taps.average);
    const double sums = as_double(warps) * taps.average * (trips * trip.busy + cycles_of_tap) + waiting;
    const bool whole_sectors = v.layout == Layout::ndhwc || v.stride_x > 1 || geometry.extent[2].axis.stride == 1;
    const double outputs = sums_of_thread(entry) * as_double(v.stride_x) * active_part(entry, geometry);
    const double stores = as_double(warps) * outputs * cycles_of_store * (whole_sectors ? 1 : half_sectors);
    // Planners count what all processors spend.
    return {as_double(processors) * sums, as_double(processors) * stores, 0};
}

// A task is a block of threads.
Split split_gpu(const Entry &entry, const Geometry &geometry, int64_t /*rows*/, const Machine & /*machine*/) {
    return {1, 1, 1, 1, blocks_of_threads(entry, geometry), false};
}

int64_t no_scratch(const Entry & /*entry*/, const Geometry & /*geometry*/, const Split & /*split*/) {
    return 0;
}

}  // namespace

const CostModel gpu_cost{estimate_gpu, split_gpu, no_scratch};

}  // namespace unstride
