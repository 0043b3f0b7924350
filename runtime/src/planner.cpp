#include "planner.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "checked.h"
#include "machine.h"
#include "unstride/error.h"
#include "wisdom.h"

namespace unstride {
namespace {

bool is_across_channels(const Variant &v) {
    return v.family == "channels" || (v.family == "depthwise" && v.layout == Layout::ndhwc);
}

bool interleaves(const Variant &v) {
    return v.stride_x > 1;
}

int64_t blocks(const Entry &entry, const Geometry &geometry) {
    return divide_up(channels_seen(geometry.channels, entry.variant).outputs, entry.variant.block);
}

// As many blocks of output channels as have their panels in the L2 cache together, where they stay from row to row; all, if not even
// one's fit, as they are then read anew for each row whatever the order.
int64_t blocks_per_task(const Entry &entry, const Geometry &geometry) {
    const auto &[z, y, x] = geometry.extent;
    const int64_t all = blocks(entry, geometry), inputs = channels_seen(geometry.channels, entry.variant).inputs;
    const int64_t panels = product({inputs, entry.variant.block, x.kernel, y.kernel, z.kernel, sizeof(float)});
    const int64_t fitting = this_machine().l2 / std::max<int64_t>(panels, 1);
    return fitting == 0 ? all : divide_up(all, divide_up(all, std::min(fitting, all)));
}

// Slices of the output, for each share of its channels that is computed apart: what tasks are split from.
int64_t slices(const Entry &entry, const Geometry &geometry) {
    const int64_t shares = divide_up(blocks(entry, geometry), blocks_per_task(entry, geometry));
    return geometry.batch * channels_seen(geometry.channels, entry.variant).groups * shares * geometry.extent[0].output;
}

// What a variant is expected to spend on the average output row of all output channels, in cycles of a core that issues two
// FMAs, two loads and one store a cycle, with a latency of 4 for the FMA. Only the order of the variants matters.
struct Estimate {
    double multiply_adds, stores, staging;

    double total() const {
        return multiply_adds + stores + staging;
    }
};

double as_double(int64_t value) {
    return static_cast<double>(value);
}

// Taps of the average phase of a dimension.
double taps(const Extent &e) {
    return as_double(e.kernel) / as_double(e.axis.stride);
}

// Tiles that one phase of an output row takes.
int64_t tiles_in_phase(const Variant &v, const Extent &x) {
    return divide_up(divide_up(x.output, x.axis.stride), v.columns);
}

// Floats in the slab of padded input that a task of this many output rows reads.
int64_t slab_floats(const Entry &entry, const Geometry &geometry, int64_t rows) {
    const auto &[z, y, x] = geometry.extent;
    const auto [groups, inputs, outputs] = channels_seen(geometry.channels, entry.variant);
    const auto reach = [](const Extent &e) {  // from the first tap's input to the last one's
        return (e.axis.most_taps(e.kernel) - 1) * e.axis.input_step();
    };
    // All of the input's columns, and what whole tiles reach beyond them on both sides, from `first` to `last`.
    const int64_t last = x.axis.padding / x.axis.stride + tiles_in_phase(entry.variant, x) * entry.variant.columns;
    const int64_t first = x.axis.padding / x.axis.stride - reach(x) - x.axis.input_step();
    const int64_t width = std::max(x.input, last + 1) - std::min<int64_t>(first, 0);
    const int64_t block = is_across_channels(entry.variant) ? std::max<int64_t>(entry.variant.block, entry.lanes) : entry.variant.block;
    const int64_t channels = entry.variant.family != "depthwise" ? inputs : divide_up(outputs, block) * block;
    // Bounds inference does not know which of a phase's taps is first, and adds the rows before it.
    const int64_t height = (rows - 1 + (y.axis.tap_step() - 1) * y.axis.dilation) / y.axis.stride + reach(y) + 2;
    return product({width, channels, std::min(height, y.input), z.axis.most_taps(z.kernel)});
}

// As many output rows as a slab in half of the L2 cache serves; but tasks enough for all threads to be busy to the end.
int64_t rows_per_task(const Entry &entry, const Geometry &geometry, int threads) {
    const int64_t height = geometry.extent[1].output, others = slices(entry, geometry);
    const int64_t balanced = std::max<int64_t>(1, others * height / (8 * threads));
    int64_t rows = std::min(height, balanced);
    while (rows > 1 && slab_floats(entry, geometry, rows) > slab_limit()) {
        rows = (rows + 1) / 2;
    }
    return rows;
}

Estimate estimate(const Entry &entry, const Geometry &geometry, int threads) {
    const Variant &v = entry.variant;
    const auto [groups, inputs, outputs] = channels_seen(geometry.channels, v);
    const auto &[z, y, x] = geometry.extent;
    const bool depthwise = v.family == "depthwise";
    const bool across_channels = is_across_channels(v);

    // One step of a tile's inner loop: one input channel of one tap.
    const double m = as_double(across_channels ? v.block : v.columns) / entry.lanes;  // vectors
    const double n = across_channels ? v.columns : v.block;                           // that share them
    const double unaligned = across_channels ? 1 : 1.5;                               // half of the loads straddle cache lines
    const double loads = depthwise ? m * n * unaligned + (across_channels ? m : n) : m * unaligned + n;
    const double latency = 4, step = std::max({m * n / 2, loads / 2, latency});

    const double tiles = as_double(tiles_in_phase(v, x) * std::min(x.axis.stride, x.output));
    const double tiles_across = as_double(groups * blocks(entry, geometry));
    const double steps = as_double(inputs) * taps(x) * taps(y) * taps(z);

    // A tile's store: whole vectors where the layout is the tile's own; element by element where it has to be transposed or
    // the phase's columns lie apart.
    const bool whole_vectors = v.layout == Layout::ndhwc ? across_channels : !across_channels && interleaves(v);
    const double store = m * n * (whole_vectors ? 3 : entry.lanes * 1.5);

    // The slab is copied once for each task and each call.
    const int64_t rows = rows_per_task(entry, geometry, threads);
    const double calls = as_double(static_cast<int64_t>(phases_of_calls(x, v).size()));
    const double copies = calls * as_double(divide_up(blocks(entry, geometry), blocks_per_task(entry, geometry)));
    const double vectors = as_double(groups * slab_floats(entry, geometry, rows)) / as_double(rows * entry.lanes);
    const bool transposes = v.layout == Layout::ndhwc && !across_channels;
    return {tiles_across * tiles * steps * step, tiles_across * tiles * store, vectors * copies * (transposes ? 24 : 3)};
}

// What a kernel that was compiled for the layer takes of the time of the one of the same tile for any layer: measured with avx2, in
// one thread of an AMD EPYC, 0.91 to 0.96 for k = s = 2, 0.93 to 1.02 for larger kernels, 0.80 for a depthwise layer.
constexpr double known_layer = 0.95;

std::string percent(double part, double whole) {
    return std::to_string(std::lround(part / whole * 100)) + " %";
}

// All that a kernel for one layer knows of it.
std::string describe(const ConvTranspose3dOptions &o) {
    const auto triple = [](const Triple &t) {
        return std::to_string(t.depth) + "x" + std::to_string(t.height) + "x" + std::to_string(t.width);
    };
    return "in_channels " + std::to_string(o.in_channels) + ", out_channels " + std::to_string(o.out_channels) + ", groups " +
           std::to_string(o.groups) + ", kernel_size " + triple(o.kernel_size) + ", stride " + triple(o.stride) + ", padding " +
           triple(o.padding) + ", dilation " + triple(o.dilation);
}

// The variant of least estimated time among those of the widest instruction set that has any for this layer.
const Entry *cheapest(const ConvTranspose3dOptions &options, const Geometry &geometry, Layout layout, int threads) {
    const Entry *best = nullptr;
    double least = 0;
    for (const Entry &entry : catalog()) {
        if (entry.variant.layout != layout || !obstacle(entry.variant, options).empty()) {
            continue;
        }
        if (best != nullptr && entry.lanes < best->lanes) {
            continue;
        }
        const double cost = estimate(entry, geometry, threads).total() * (entry.variant.layer ? known_layer : 1);
        if (best == nullptr || entry.lanes > best->lanes || cost < least) {
            best = &entry;
            least = cost;
        }
    }
    if (best == nullptr) {
        throw InvalidArgument(std::string("this build has no kernel for layout ") + to_string(layout));
    }
    return best;
}

}  // namespace

Channels channels_seen(const Channels &channels, const Variant &variant) {
    return variant.family == "depthwise" ? Channels{1, 1, channels.groups} : channels;
}

std::vector<Phases> phases_of_calls(const Extent &x, const Variant &variant) {
    if (interleaves(variant)) {
        return {{0, 1, x.output, 1}};
    }
    const int64_t stride = x.axis.stride, columns = x.output / stride, longer = x.output % stride;
    std::vector<Phases> calls;
    if (longer > 0) {
        calls.push_back({0, longer, columns + 1, stride});
    }
    if (columns > 0) {
        calls.push_back({longer, stride - longer, columns, stride});
    }
    return calls;
}

std::string obstacle(const Variant &v, const ConvTranspose3dOptions &o) {
    if (!v.runs_here) {
        return "needs " + v.isa + ", which this machine does not have";
    }
    if (v.layer && describe(*v.layer) != describe(o)) {
        return "needs the layer that it was compiled for: " + describe(*v.layer);
    }
    if (v.stride_x != 1 && (o.stride.width != v.stride_x || o.dilation.width != 1)) {
        return "needs stride " + std::to_string(v.stride_x) + " and dilation 1 along the width";
    }
    if (v.family == "depthwise" && (o.in_channels != o.groups || o.out_channels != o.groups)) {
        return "needs a depthwise layer: in_channels, out_channels and groups alike";
    }
    return "";
}

Decision decide(const ConvTranspose3dOptions &options, const Geometry &geometry, Layout layout, const Forced &forced, int threads) {
    const Entry *best = forced.entry;
    int64_t rows = forced.rows_per_task;
    double measured = 0;
    std::string reason = "the caller asked for it";
    if (best == nullptr) {
        if (const std::optional<Winner> winner = recall(geometry, layout, threads)) {
            best = winner->entry;
            rows = winner->rows_per_task;
            measured = as_double(winner->nanoseconds) * 1e-9;
            reason = "measured fastest of " + std::to_string(winner->candidates) + " candidates by unstride tune: " +
                     std::to_string(winner->nanoseconds / 1000) + " us";
        } else {
            best = cheapest(options, geometry, layout, threads);
            const Estimate e = estimate(*best, geometry, threads);
            reason = "the least estimated time of the " + best->variant.isa + " kernels: " + percent(e.multiply_adds, e.total()) +
                     " of it in the multiply-adds, " + percent(e.stores, e.total()) + " in stores, " + percent(e.staging, e.total()) +
                     " in staging input rows";
        }
    }

    rows = rows == 0 ? rows_per_task(*best, geometry, threads) : std::min(rows, geometry.extent[1].output);
    return {best, reason, rows, blocks_per_task(*best, geometry), slices(*best, geometry) * divide_up(geometry.extent[1].output, rows), measured};
}

double expected_cycles(const Decision &decision, const Geometry &geometry, int threads) {
    const double rows = as_double(product({geometry.batch, geometry.extent[0].output, geometry.extent[1].output}));
    const double all = estimate(*decision.entry, geometry, threads).total() * rows;
    // Threads end together only if tasks can be shared out evenly.
    return decision.tasks == 0 ? 0 : all / as_double(decision.tasks) * as_double(divide_up(decision.tasks, threads));
}

int64_t scratch_bytes(const Decision &decision, const Geometry &geometry, int threads) {
    return product({slab_floats(*decision.entry, geometry, decision.rows_per_task), threads, sizeof(float)});
}

}  // namespace unstride
