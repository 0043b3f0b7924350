#include "planner.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "checked.h"
#include "cost_model.h"
#include "tiles.h"
#include "unstride/error.h"
#include "winograd.h"
#include "wisdom.h"

namespace unstride {
namespace {

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

// Variants of one algorithm that can compute some channels of a layer, if the widest instruction set has any.
std::vector<const Entry *> candidates(const ConvTranspose3dOptions &options, const Call &call, Algorithm algorithm) {
    std::vector<const Entry *> found;
    int lanes = 0;
    for (const Entry &entry : catalog()) {
        const Variant &v = entry.variant;
        if (!entry.autoscheduled && v.device == call.device && v.layout == call.layout && v.types == call.types && suits(v, call.conditions) && obstacle(v, options).empty()) {
            lanes = std::max(lanes, entry.lanes);
            if (algorithm_of(v) == algorithm) {
                found.push_back(&entry);
            }
        }
    }
    found.erase(std::remove_if(found.begin(), found.end(), [&](const Entry *entry) { return entry->lanes < lanes; }), found.end());
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
    if (geometry.depthwise() || algorithm_of(best.entries.front()->variant) == Algorithm::taps) {
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
    return {&entry, first, channels, split(entry, with_outputs(geometry, channels), rows, threads)};
}

}  // namespace

std::string obstacle(const Variant &v, const ConvTranspose3dOptions &o) {
    if (!v.runs_here()) {
        return "needs " + v.isa + ", which this machine does not have";
    }
    if (v.layer && describe(*v.layer) != describe(o)) {
        return "needs the layer that it was compiled for: " + describe(*v.layer);
    }
    if (v.stride_x != 1 && (o.stride.width != v.stride_x || o.dilation.width != 1)) {
        return "needs stride " + std::to_string(v.stride_x) + " and dilation 1 along the width";
    }
    if (algorithm_of(v) == Algorithm::winograd) {
        return no_minimal_filters(o);
    }
    if (v.family == "quads" && o.in_channels / o.groups % 4 != 0) {
        return "needs a multiple of four input channels in each group";
    }
    if (v.family == "depthwise" && (o.in_channels != o.groups || o.out_channels != o.groups)) {
        return "needs a depthwise layer: in_channels, out_channels and groups alike";
    }
    return "";
}

bool suits(const Variant &variant, const Conditions &conditions) {
    return variant.family == "winograd" ? conditions.moderate : variant.family == "quads" ? conditions.aligned
                                                            : variant.family == "pairs"   ? conditions.in_bf16
                                                                                          : true;
}

Geometry part_of(Geometry geometry, const Part &part) {
    return with_outputs(geometry, part.channels);
}

Algorithm algorithm_for(const ConvTranspose3dOptions &options, const Geometry &geometry, const Call &call) {
    const bool taps = taps_pay(geometry), minimal_filters = no_minimal_filters(options).empty() && minimal_filters_pay(geometry);
    // In the order of what they save.
    for (const auto &[pays, algorithm] : {std::pair{taps, Algorithm::taps}, {pairs_pay(geometry), Algorithm::pairs}, {minimal_filters, Algorithm::winograd}}) {
        if (pays && !candidates(options, call, algorithm).empty()) {
            return algorithm;
        }
    }
    return Algorithm::direct;
}

Decision decide(const ConvTranspose3dOptions &options, const Geometry &geometry, const Call &call, const Forced &forced) {
    const int64_t outputs = geometry.channels.outputs;
    const int threads = call.threads;
    if (forced.entry != nullptr && suits(forced.entry->variant, call.conditions)) {
        return {{make_part(*forced.entry, geometry, 0, outputs, forced.rows_per_task, threads)}, "the caller asked for it", 0};
    }
    const Algorithm algorithm = algorithm_for(options, geometry, call);
    const std::vector<const Entry *> entries = candidates(options, call, algorithm);
    if (const std::optional<Winner> winner = recall(geometry, call.layout, call.types, threads); winner && winner->entry->variant.device == call.device && algorithm_of(winner->entry->variant) == algorithm) {
        return {{make_part(*winner->entry, geometry, 0, outputs, winner->rows_per_task, threads)},
                "measured fastest of " + std::to_string(winner->candidates) + " candidates by unstride tune: " +
                    std::to_string(winner->nanoseconds / 1000) + " us",
                as_double(winner->nanoseconds) * 1e-9};
    }
    if (entries.empty()) {
        throw InvalidArgument(why_no_kernels(call.layout, call.types));
    }
    const Choice choice = call.device == Device::cpu ? cheapest_with_rest(entries, geometry, threads) : cheapest(entries, geometry, threads);
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

bool uses(const Decision &decision, Algorithm algorithm) {
    return std::any_of(decision.parts.begin(), decision.parts.end(), [&](const Part &part) { return algorithm_of(part.entry->variant) == algorithm; });
}

double expected_cycles(const Decision &decision, const Geometry &geometry, int threads) {
    double cycles = 0;
    for (const Part &part : decision.parts) {
        if (part.entry->variant.device != Device::cpu) {
            cycles += estimate(*part.entry, part_of(geometry, part), threads).total() / threads;
            continue;
        }
        const int64_t tasks = part.split.tasks;
        // Threads end together only if tasks can be shared out evenly.
        cycles += tasks == 0 ? 0 : estimate(*part.entry, part_of(geometry, part), threads).total() / as_double(tasks) * as_double(divide_up(tasks, threads));
    }
    return cycles;
}

int64_t scratch_bytes(const Part &part, const Geometry &geometry, int threads) {
    return product({scratch_elements(*part.entry, part_of(geometry, part), part.split), threads, size_of(part.entry->variant.types.sums())});
}

}  // namespace unstride
