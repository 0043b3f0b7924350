#include "planner.h"

#include <algorithm>

#include "checked.h"
#include "unstride/error.h"

namespace unstride {
namespace {

// How much of a register tile is wasted on channels and columns that do not exist, and how well its shape feeds the
// FMA units: the expected time of a variant in units of the ideal one.
struct Estimate {
    double channel_waste, column_waste, load_cost;

    double total() const {
        return channel_waste * column_waste * load_cost;
    }
};

Estimate estimate(const Entry &entry, const Geometry &geometry) {
    const Variant &v = entry.variant;
    const Extent &x = geometry.extent[2];
    const int64_t phases = std::min(x.axis.stride, x.output);
    const int64_t columns = divide_up(x.output, phases);  // of one phase
    Estimate e{};
    e.channel_waste = static_cast<double>(divide_up(geometry.out_channels, v.block) * v.block) / static_cast<double>(geometry.out_channels);
    e.column_waste = static_cast<double>(divide_up(columns, v.columns) * v.columns) / static_cast<double>(columns);
    // Two FMAs and two loads issue per cycle. A tile of m by n vectors or broadcasts does m * n FMAs for m + n loads.
    const bool across_channels = v.family == "channels";
    const double vectors = static_cast<double>(across_channels ? v.block : v.columns) / entry.lanes;
    const double broadcasts = across_channels ? v.columns : v.block;
    const double fmas = vectors * broadcasts, loads = vectors + broadcasts;
    e.load_cost = std::max(1.0, loads / fmas) + loads / fmas / 2;
    return e;
}

int isa_rank(const Variant &v) {
    return v.isa == "avx512" ? 2 : v.isa == "avx2" ? 1 : 0;
}

std::string percent(double waste) {
    return std::to_string(static_cast<int>((waste - 1) / waste * 100 + 0.5)) + " %";
}

}  // namespace

bool can_run(const Entry &entry, const Geometry &geometry) {
    const Axis<int64_t> &x = geometry.extent[2].axis;
    return entry.variant.runs_here && (entry.variant.stride_x == 1 || (entry.variant.stride_x == x.stride && x.dilation == 1));
}

Decision decide(const Geometry &geometry, Layout layout, const Entry *forced) {
    const Entry *best = forced;
    std::string reason = "the caller asked for it";
    if (forced == nullptr) {
        int rank = 0;
        for (const Entry &entry : catalog()) {
            if (entry.variant.layout == layout && can_run(entry, geometry)) {
                rank = std::max(rank, isa_rank(entry.variant));
            }
        }
        double least = 0;
        for (const Entry &entry : catalog()) {
            if (entry.variant.layout != layout || !can_run(entry, geometry) || isa_rank(entry.variant) != rank) {
                continue;
            }
            // A kernel that does not interleave the phases itself stores every column apart.
            const bool interleaves = entry.variant.stride_x == geometry.extent[2].axis.stride;
            const double cost = estimate(entry, geometry).total() * (interleaves ? 1.0 : 1.5);
            if (best == nullptr || cost < least) {
                best = &entry;
                least = cost;
            }
        }
        if (best == nullptr) {
            throw InvalidArgument(std::string("this build has no kernel for layout ") + to_string(layout));
        }
        const Estimate e = estimate(*best, geometry);
        reason = "least estimated cost of the " + best->variant.isa + " tiles for " + std::to_string(geometry.out_channels) +
                 " output channels and " + std::to_string(geometry.extent[2].output) + " columns: " + percent(e.channel_waste) +
                 " of its channels and " + percent(e.column_waste) + " of its columns lie outside the output";
    }

    // Tasks of about a million multiply-adds, tens of microseconds: long against the thread pool's cost of about one,
    // short against the whole.
    const int64_t blocks = best->variant.family == "channels" ? divide_up(geometry.out_channels, best->variant.block) : 1;
    const int64_t rows = geometry.batch * geometry.groups * blocks * geometry.extent[0].output * geometry.extent[1].output;
    const double work_per_row = geometry.multiply_adds() / static_cast<double>(std::max<int64_t>(rows, 1));
    const int64_t rows_per_task = std::clamp<int64_t>(static_cast<int64_t>(1e6 / std::max(work_per_row, 1.0)), 1, 64);
    return {best, reason, rows_per_task, divide_up(rows, rows_per_task)};
}

int64_t scratch_bytes(const Entry &entry, const Geometry &geometry, int threads) {
    const auto &[z, y, x] = geometry.extent;
    // The row's inputs, plus what its first and last tile reach beyond them.
    const int64_t columns = divide_up(divide_up(x.output, x.axis.stride), entry.variant.columns) * entry.variant.columns +
                            x.axis.most_taps(x.kernel) * x.axis.input_step() + 1 + entry.lanes;
    const int64_t channels = geometry.in_channels + entry.lanes;
    const int64_t taps = y.axis.most_taps(y.kernel) * z.axis.most_taps(z.kernel);
    return multiply(multiply(multiply(columns, channels), multiply(taps, threads)), sizeof(float));
}

}  // namespace unstride
