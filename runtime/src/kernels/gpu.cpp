// The model of cost for the kernels of schedules/gpu.cpp, in cycles of one of the GPU's processors (which CUDA calls
// multiprocessors). A kernel takes the cycles for which its warps keep the fullest processor busy. To these comes, for
// each wave of warps that run at the same time, the latency of their trips through the innermost loop. A trip keeps the
// processor busy for as long as its instructions take to issue, or its loads take in the cache if that is longer.
//
// The constants are those of an H100, and are used on all GPUs. Four of them are fitted to the times of the f32
// variants on bench/layers.csv (bench/gpu/results). Choices depend little on them: with one of them half or twice as
// large, or half_sectors from 1 to 1.3, the geometric mean of what is chosen is at most 1.06 times that of the fastest
// variants.

#include <algorithm>
#include <cmath>

#include "kernels/catalog.h"
#include "problem/checked.h"

namespace unstride {
namespace {

constexpr int64_t warp = 32, warps_of_block = 4;  // as schedules/gpu.cpp has them

// These are from NVIDIA's documents.
constexpr int64_t processors = 132;
constexpr double issues = 4;          // instructions of warps that a processor can issue in a cycle
constexpr double registers = 65536;   // registers of a processor, of 32 bits
constexpr double most_blocks = 16;    // blocks of 128 threads that a processor can hold at once
constexpr int64_t lanes_of_quad = 8;  // threads that the cache serves in one cycle if each loads 16 bytes

// These were counted in the code that ptxas, the assembler of CUDA, makes of the kernels for compute capability 9.0.
constexpr double registers_beside_sums = 48;  // registers of a thread that hold no sums
constexpr double addresses = 4;               // instructions that compute the address of a load of input
constexpr double loop = 5;                    // instructions of each trip for the loop itself

// If a trip has no more multiply-adds than this, ptxas unrolls four trips, whose loads then wait for memory together.
constexpr double few_multiply_adds = 8;

// These are fitted.
constexpr double latency = 300;       // cycles of a trip that FMAs wait for weights, often from the second-level cache
constexpr double cycles_of_tap = 25;  // cycles for which a warp is busy to begin the loop of a tap
constexpr double cycles_of_output = 40;  // cycles of a warp for each output: epilogue, store, share of the prologue
constexpr double half_sectors = 1.1;     // factor for stores that write only every other element of a sector of memory

// How many blocks of output channels and how many tiles of positions the threads of a warp lie across.
struct Warp {
    int64_t blocks, tiles;
};

// Returns whether the threads of a warp share one tile, of which each computes another output channel. Otherwise each
// thread computes a tile of its own.
bool is_across_warp(const Entry &entry) {
    return entry.facts->inputs == Inputs::own && entry.across == Lanes::channels;
}

Warp warp_of(const Entry &entry) {
    const Variant &v = entry.variant;
    if (is_across_warp(entry)) {
        return {1, 1};
    }
    const int64_t blocks_of_warp = v.layout == Layout::ndhwc && v.block >= 8 ? std::max<int64_t>(warp / v.block, 1) : 1;
    return {blocks_of_warp, warp / blocks_of_warp};
}

// Returns how many input channels a thread reads with one load.
int64_t channels_of_load(const Entry &entry) {
    return entry.facts->inputs_per_load;
}

// Returns how many sums a thread has in registers for one phase: one for each of its outputs.
double sums_of_thread(const Entry &entry) {
    const Variant &v = entry.variant;
    return as_double(is_across_warp(entry) ? v.columns : v.block * v.columns);
}

// Returns how many tiles one phase of an output row has, at least 1.
int64_t tiles_of_row(const Entry &entry, const Geometry &geometry) {
    return std::max<int64_t>(tiles_in_phase(entry.variant.columns, geometry.extent[2]), 1);
}

int64_t tiles_of_item(const Entry &entry, const Geometry &geometry) {
    return product({tiles_of_row(entry, geometry), geometry.extent[1].output, geometry.extent[0].output});
}

// Returns how many blocks of threads a kernel starts for a layer.
int64_t blocks_of_threads(const Entry &entry, const Geometry &geometry) {
    const Variant &v = entry.variant;
    const Extent &x = geometry.extent[2];
    const Warp w = warp_of(entry);
    const int64_t phases = v.stride_x > 1 ? 1 : std::min(x.axis.stride, x.output);
    return product({divide_up(tiles_of_item(entry, geometry), w.tiles * warps_of_block),
                    divide_up(blocks(entry, geometry), w.blocks), phases,
                    entry.rules->channels_seen(geometry.channels).groups, geometry.batch});
}

// Returns which part of a warp's threads, from 0 to 1, have output channels to compute. The others are there because
// the blocks of output channels do not fill the last warp.
double active_part(const Entry &entry, const Geometry &geometry) {
    const int64_t all = blocks(entry, geometry), of_warp = warp_of(entry).blocks;
    return as_double(all) / as_double(divide_up(all, of_warp) * of_warp);
}

// Returns how many of `tiles` neighbouring tiles read different inputs. Neighbouring output rows, one of each phase,
// read the same input row. If the padding is a multiple of the stride, such rows begin at multiples of the stride;
// otherwise elsewhere, and then the tiles may touch some more input rows.
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

// One trip of a warp through the innermost loop.
struct Trip {
    int64_t channels;  // input channels of a tap that the trip adds up
    double busy;       // cycles for which it keeps its processor busy
};

Trip trip_of(const Entry &entry, const Geometry &geometry) {
    const Variant &v = entry.variant;
    const Warp w = warp_of(entry);
    const bool quads = channels_of_load(entry) > 1;
    const bool unrolled = entry.facts->inputs == Inputs::shared && sums_of_thread(entry) <= few_multiply_adds;
    const double channels = quads || unrolled ? 4 : 1, columns = as_double(v.columns);
    const double block = is_across_warp(entry) ? 1 : as_double(v.block);
    // Loads of a thread in one trip.
    const double inputs = quads ? columns : columns * channels, weights = channels * std::max(1.0, block / 4);

    // The cache takes a cycle for each 128 bytes that it returns, even if they are the same weight for all threads, and
    // a cycle for each cache line that it reads. The columns of a thread are neighbours in memory in ncdhw, while in
    // ndhwc each lies in a line of its own.
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

// How many taps a warp computes for its outputs, on average and at most. If its threads lie across rows or slices of
// several phases, which have different numbers of taps, all of them take as long as the one that has most.
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

// Returns how many blocks of threads a processor can hold at once, for which it needs registers enough; at least 1.
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
    const Taps warp_taps = taps_of_warp(entry, geometry);
    const double trips = as_double(divide_up(entry.rules->channels_seen(geometry.channels).inputs, trip.channels));
    const int64_t all = blocks_of_threads(entry, geometry);
    const int64_t with_tiles = divide_up(tiles_of_item(entry, geometry), warp_of(entry).tiles);
    const int64_t warps = divide_up(all, processors) * std::min(warps_of_block, with_tiles);
    const double waves = std::max(1.0, as_double(all) / (as_double(processors) * resident_blocks(entry)));

    // The last wave ends with the slowest of its warps.
    const double waiting = latency * trips * (warp_taps.most + (waves - 1) * warp_taps.average);
    const double sums = as_double(warps) * warp_taps.average * (trips * trip.busy + cycles_of_tap) + waiting;
    const bool whole_sectors = v.layout == Layout::ndhwc || v.stride_x > 1 || geometry.extent[2].axis.stride == 1;
    const double outputs = sums_of_thread(entry) * as_double(v.stride_x) * active_part(entry, geometry);
    const double stores = as_double(warps) * outputs * cycles_of_output * (whole_sectors ? 1 : half_sectors);
    // An Estimate is what all processors spend together.
    return {as_double(processors) * sums, as_double(processors) * stores, 0};
}

// Returns a split whose tasks are the blocks of threads. The number of rows that is asked for does not matter.
Split split_gpu(const Entry &entry, const Geometry &geometry, int64_t /*rows*/, const Machine & /*machine*/) {
    return {1, 1, 1, 1, blocks_of_threads(entry, geometry)};
}

}  // namespace

const CostModel gpu_cost{estimate_gpu, split_gpu, no_scratch};

}  // namespace unstride
