#include "planner.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

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

// Output rows of a slice that one slab serves, the larger of a half of the L2 cache's worth and one.
int64_t rows_of_slab(const Entry &entry, const Geometry &geometry) {
    int64_t rows = geometry.extent[1].output;
    while (rows > 1 && slab_floats(entry, geometry, rows) > slab_limit()) {
        rows = (rows + 1) / 2;
    }
    return rows;
}

// Cycles that it takes to stage the input of the average output row once.
double cycles_of_staging(const Entry &entry, const Geometry &geometry, int64_t rows) {
    const bool transposes = entry.variant.layout == Layout::ndhwc && !is_across_channels(entry.variant);
    return as_double(slab_floats(entry, geometry, rows)) / as_double(rows * entry.lanes) * (transposes ? 14 : 3);
}

// Blocks of output channels that share what a task stages: all, unless the panels of fewer would stay in the L2 cache from task to
// task, and staging more often takes less than reading all panels anew for each row, at 10 bytes a cycle.
int64_t blocks_per_task(const Entry &entry, const Geometry &geometry) {
    const auto &[z, y, x] = geometry.extent;
    const int64_t all = blocks(entry, geometry);
    const double panels = as_double(channels_seen(geometry.channels, entry.variant).inputs * entry.variant.block * sizeof(float));
    const double of_block = panels * as_double(x.kernel * y.kernel * z.kernel), of_row = panels * as_double(all * x.kernel) * taps(y) * taps(z);
    const auto fitting = static_cast<int64_t>(as_double(this_machine().l2) / of_block);
    if (fitting == 0 || fitting >= all) {
        return all;
    }
    const int64_t shares = divide_up(all, fitting);
    const double staging = cycles_of_staging(entry, geometry, rows_of_slab(entry, geometry));
    return as_double(shares - 1) * staging < of_row / 10 ? divide_up(all, shares) : all;
}

// Slices of the output, for each share of its channels that is computed apart: what tasks are split from.
int64_t slices(const Entry &entry, const Geometry &geometry) {
    const int64_t shares = divide_up(blocks(entry, geometry), blocks_per_task(entry, geometry));
    return geometry.batch * channels_seen(geometry.channels, entry.variant).groups * shares * geometry.extent[0].output;
}

// As many output rows as a slab serves; but tasks enough for all threads to be busy to the end.
int64_t rows_per_task(const Entry &entry, const Geometry &geometry, int threads) {
    const int64_t balanced = slices(entry, geometry) * geometry.extent[1].output / (8 * threads);
    int64_t rows = rows_of_slab(entry, geometry);
    while (rows > 1 && rows > balanced) {
        rows = (rows + 1) / 2;
    }
    return rows;
}

// Cycles that the caches need to bring what one step of a *channels* tile reads, where it is not in L1. As measured on Zen 3: 24
// bytes a cycle from L2, 10 from beyond.
double cycles_of_memory(const Entry &entry, const Geometry &geometry) {
    const Variant &v = entry.variant;
    if (v.family != "channels") {
        return 0;
    }
    const auto &[z, y, x] = geometry.extent;
    const auto cycles = [](double bytes, double in_a_phase, double in_a_task) {
        const Machine &machine = this_machine();
        return in_a_phase <= 0.75 * as_double(machine.l1d) ? 0 : bytes / (in_a_task <= as_double(machine.l2) ? 24 : 10);
    };
    // A tile reads a phase's panels from end to end, a task those of both y and x phases, again for each row.
    const double weights = as_double(v.block * sizeof(float)), panel = as_double(geometry.channels.inputs) * weights;
    const double of_weights = cycles(weights, panel * taps(z) * taps(y) * taps(x), panel * taps(z) * as_double(y.kernel * x.kernel));
    if (v.layout == Layout::ndhwc) {
        return of_weights;
    }
    // In ncdhw each channel of the slab is a row of its own, of which a tile uses a few columns.
    const double line = std::min(64.0, as_double(x.input * sizeof(float)));
    const double rows = as_double(geometry.channels.inputs) * line * taps(z) * taps(y);
    return of_weights + cycles(line, rows, rows);
}

// What a kernel that was compiled for the layer takes of the time of the one of the same tile for any layer: measured with avx2, in
// one thread of an AMD EPYC, 0.91 to 0.96 for k = s = 2, 0.93 to 1.02 for larger kernels, 0.80 for a depthwise layer.
constexpr double known_layer = 0.95;

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
    const double latency = 4, step = std::max({m * n / 2, loads / 2, latency, cycles_of_memory(entry, geometry)});

    const double tiles = as_double(tiles_in_phase(v, x) * std::min(x.axis.stride, x.output));
    const double tiles_across = as_double(groups * blocks(entry, geometry));
    const double steps = as_double(inputs) * taps(x) * taps(y) * taps(z);

    // A tile's store: whole vectors where the layout is the tile's own; element by element where it has to be transposed or
    // the phase's columns lie apart.
    const bool whole_vectors = v.layout == Layout::ndhwc ? across_channels : !across_channels && interleaves(v);
    const double store = m * n * (whole_vectors ? 3 : entry.lanes * 1.5);

    // The slab is copied once for each task and each call.
    const double calls = as_double(static_cast<int64_t>(phases_of_calls(x, v).size()));
    const double copies = calls * as_double(groups * divide_up(blocks(entry, geometry), blocks_per_task(entry, geometry)));
    const double staging = copies * cycles_of_staging(entry, geometry, rows_per_task(entry, geometry, threads));
    const double known = v.layer ? known_layer : 1;
    return {tiles_across * tiles * steps * step * known, tiles_across * tiles * store * known, staging};
}

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

Geometry with_outputs(Geometry geometry, int64_t outputs) {
    geometry.channels.outputs = outputs;
    return geometry;
}

// Variants that can compute some channels of a layer, of the widest instruction set that has any.
std::vector<const Entry *> candidates(const ConvTranspose3dOptions &options, Layout layout) {
    std::vector<const Entry *> found;
    for (const Entry &entry : catalog()) {
        if (entry.variant.layout != layout || !obstacle(entry.variant, options).empty() ||
            (!found.empty() && entry.lanes < found.front()->lanes)) {
            continue;
        }
        if (!found.empty() && entry.lanes > found.front()->lanes) {
            found.clear();
        }
        found.push_back(&entry);
    }
    if (found.empty()) {
        throw InvalidArgument(std::string("this build has no kernel for layout ") + to_string(layout));
    }
    return found;
}

struct Choice {
    std::vector<const Entry *> entries;  // one, or one for whole blocks of channels and one for the rest
    Estimate estimate;
};

// The variant of least estimated time.
Choice cheapest(const std::vector<const Entry *> &candidates, const Geometry &geometry, int threads) {
    Choice best{{candidates.front()}, estimate(*candidates.front(), geometry, threads)};
    for (const Entry *entry : candidates) {
        const Estimate e = estimate(*entry, geometry, threads);
        if (e.total() < best.estimate.total()) {
            best = {{entry}, e};
        }
    }
    return best;
}

int64_t whole_blocks(const Entry &entry, const Geometry &geometry) {
    return geometry.channels.outputs / entry.variant.block * entry.variant.block;
}

// The same, or two variants if they take less together: a last block that is mostly empty costs as much as a full one.
Choice cheapest_with_rest(const std::vector<const Entry *> &candidates, const Geometry &geometry, int threads) {
    Choice best = cheapest(candidates, geometry, threads);
    if (geometry.depthwise()) {
        return best;
    }
    for (const Entry *entry : candidates) {
        const int64_t whole = whole_blocks(*entry, geometry), rest = geometry.channels.outputs - whole;
        if (whole == 0 || rest == 0) {
            continue;
        }
        const Estimate first = estimate(*entry, with_outputs(geometry, whole), threads);
        const Choice second = cheapest(candidates, with_outputs(geometry, rest), threads);
        const Estimate &e = second.estimate;
        const Estimate sum{first.multiply_adds + e.multiply_adds, first.stores + e.stores, first.staging + e.staging};
        if (sum.total() < best.estimate.total()) {
            best = {{entry, second.entries.front()}, sum};
        }
    }
    return best;
}

Part make_part(const Entry &entry, const Geometry &geometry, int64_t first, int64_t channels, int64_t rows, int threads) {
    const Geometry part = with_outputs(geometry, channels);
    const int64_t height = part.extent[1].output;
    rows = rows == 0 ? rows_per_task(entry, part, threads) : std::min(rows, height);
    return {&entry, first, channels, rows, blocks_per_task(entry, part), slices(entry, part) * divide_up(height, rows)};
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

Geometry part_of(Geometry geometry, const Part &part) {
    return with_outputs(std::move(geometry), part.channels);
}

Decision decide(const ConvTranspose3dOptions &options, const Geometry &geometry, Layout layout, const Forced &forced, int threads) {
    const int64_t outputs = geometry.channels.outputs;
    if (forced.entry != nullptr) {
        return {{make_part(*forced.entry, geometry, 0, outputs, forced.rows_per_task, threads)}, "the caller asked for it", 0};
    }
    if (const std::optional<Winner> winner = recall(geometry, layout, threads)) {
        return {{make_part(*winner->entry, geometry, 0, outputs, winner->rows_per_task, threads)},
                "measured fastest of " + std::to_string(winner->candidates) + " candidates by unstride tune: " +
                    std::to_string(winner->nanoseconds / 1000) + " us",
                as_double(winner->nanoseconds) * 1e-9};
    }
    const Choice choice = cheapest_with_rest(candidates(options, layout), geometry, threads);
    const Entry &main = *choice.entries.front();
    const Estimate &e = choice.estimate;
    const std::string reason = "the least estimated time of the " + main.variant.isa + " kernels: " + percent(e.multiply_adds, e.total()) +
                               " of it in the multiply-adds, " + percent(e.stores, e.total()) + " in stores, " +
                               percent(e.staging, e.total()) + " in staging input rows";
    if (choice.entries.size() == 1) {
        return {{make_part(main, geometry, 0, outputs, 0, threads)}, reason, 0};
    }
    const int64_t whole = whole_blocks(main, geometry);
    return {{make_part(main, geometry, 0, whole, 0, threads),
             make_part(*choice.entries.back(), geometry, whole, outputs - whole, 0, threads)},
            reason,
            0};
}

double expected_cycles(const Decision &decision, const Geometry &geometry, int threads) {
    const double rows = as_double(product({geometry.batch, geometry.extent[0].output, geometry.extent[1].output}));
    double cycles = 0;
    for (const Part &part : decision.parts) {
        const double all = estimate(*part.entry, part_of(geometry, part), threads).total() * rows;
        // Threads end together only if tasks can be shared out evenly.
        cycles += part.tasks == 0 ? 0 : all / as_double(part.tasks) * as_double(divide_up(part.tasks, threads));
    }
    return cycles;
}

int64_t scratch_bytes(const Part &part, const Geometry &geometry, int threads) {
    return product({slab_floats(*part.entry, part_of(geometry, part), part.rows_per_task), threads, sizeof(float)});
}

}  // namespace unstride
