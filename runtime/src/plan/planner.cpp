#include "plan/planner.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "device/machine.h"
#include "kernels/cost_model.h"
#include "kernels/tiles.h"
#include "kernels/winograd.h"
#include "plan/wisdom.h"
#include "problem/checked.h"
#include "unstride/error.h"

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
    return "in_channels " + std::to_string(o.in_channels) + ", out_channels " + std::to_string(o.out_channels) +
           ", groups " + std::to_string(o.groups) + ", kernel_size " + triple(o.kernel_size) + ", stride " +
           triple(o.stride) + ", padding " + triple(o.padding) + ", dilation " + triple(o.dilation);
}

Geometry with_outputs(Geometry geometry, int64_t outputs) {
    geometry.channels.outputs = outputs;
    return geometry;
}

bool is_possible(const Entry &entry, const ConvTranspose3dOptions &options, const Call &call) {
    const Variant &v = entry.variant;
    return !entry.autoscheduled && v.device == call.device && v.layout == call.layout && v.types == call.types &&
           unmet(v, call.conditions).empty() && obstacle(v, options, call.machine).empty();
}

// Variants of one algorithm that can compute some channels of a layer, of the highest instruction set that has any;
// none if direct sums have a higher one, which are the faster.
std::vector<const Entry *> candidates(const ConvTranspose3dOptions &options, const Call &call, Algorithm algorithm) {
    std::vector<const Entry *> found;
    int rank = 0;
    for (const Entry &entry : catalog()) {
        const Algorithm of_entry = algorithm_of(entry.variant);
        if ((of_entry == algorithm || of_entry == Algorithm::direct) && is_possible(entry, options, call)) {
            rank = std::max(rank, entry.rank);
            if (of_entry == algorithm) {
                found.push_back(&entry);
            }
        }
    }
    found.erase(std::remove_if(found.begin(), found.end(), [&](const Entry *entry) { return entry->rank < rank; }),
                found.end());
    return found;
}

struct Choice {
    std::vector<const Entry *> entries;  // one, or one for whole blocks of channels and one for the rest
    Estimate estimate;
};

// The variant of least estimated time.
Choice cheapest(const std::vector<const Entry *> &candidates, const Geometry &geometry, const Machine &machine) {
    Choice best{{candidates.front()}, estimate(*candidates.front(), geometry, machine)};
    for (const Entry *entry : candidates) {
        const Estimate e = estimate(*entry, geometry, machine);
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
Choice cheapest_with_rest(const std::vector<const Entry *> &candidates, const Geometry &geometry,
                          const Machine &machine) {
    Choice best = cheapest(candidates, geometry, machine);
    if (geometry.depthwise() || algorithm_of(best.entries.front()->variant) == Algorithm::taps) {
        return best;
    }
    for (const Entry *entry : candidates) {
        const int64_t whole = whole_blocks(*entry, geometry), rest = geometry.channels.outputs - whole;
        if (whole == 0 || rest == 0) {
            continue;
        }
        const Estimate first = estimate(*entry, with_outputs(geometry, whole), machine);
        const Choice second = cheapest(candidates, with_outputs(geometry, rest), machine);
        const Estimate &e = second.estimate;
        const Estimate sum{first.multiply_adds + e.multiply_adds, first.stores + e.stores, first.staging + e.staging};
        if (sum.total() < best.estimate.total()) {
            best = {{entry, second.entries.front()}, sum};
        }
    }
    return best;
}

Part make_part(const Entry &entry, const Geometry &geometry, int64_t first, int64_t channels, int64_t rows,
               const Machine &machine) {
    return {&entry, first, channels, split(entry, with_outputs(geometry, channels), rows, machine)};
}

// Why a variant that is forced cannot run in a call; empty if it can.
std::string refusal(const Variant &v, const ConvTranspose3dOptions &options, const Call &call) {
    if (v.layout != call.layout) {
        return std::string("is for layout ") + to_string(v.layout) + ", not " + to_string(call.layout);
    }
    if (!(v.types == call.types)) {
        return "is for type " + to_string(v.types) + ", not " + to_string(call.types);
    }
    const std::string why_not = obstacle(v, options, call.machine);
    return why_not.empty() ? unmet(v, call.conditions) : why_not;
}

}  // namespace

std::string obstacle(const Variant &v, const ConvTranspose3dOptions &o, const Machine &machine) {
    if (const std::string lack = v.device == Device::cpu ? lack_of(v.isa, machine) : ""; !lack.empty()) {
        return lack;
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

std::string unmet(const Variant &variant, const Conditions &conditions) {
    if (variant.family == "winograd" && !conditions.moderate) {
        return "needs an input and weights below 2^50 in magnitude, without NaN";
    }
    if (variant.family == "pairs" && !conditions.in_bf16) {
        return "needs weights that bf16 has without rounding";
    }
    if (variant.family == "quads" && !conditions.aligned) {
        return "needs an input whose place in memory and strides are multiples of four elements";
    }
    return "";
}

Geometry part_of(Geometry geometry, const Part &part) {
    return with_outputs(geometry, part.channels);
}

Algorithm algorithm_for(const ConvTranspose3dOptions &options, const Geometry &geometry, const Call &call) {
    const bool taps = taps_pay(geometry),
               minimal_filters = no_minimal_filters(options).empty() && minimal_filters_pay(geometry);
    // In the order of what they save.
    for (const auto &[pays, algorithm] : {std::pair{taps, Algorithm::taps},
                                          {pairs_pay(geometry), Algorithm::pairs},
                                          {minimal_filters, Algorithm::winograd}}) {
        if (pays && !candidates(options, call, algorithm).empty()) {
            return algorithm;
        }
    }
    return Algorithm::direct;
}

Decision decide(const ConvTranspose3dOptions &options, const Geometry &geometry, const Call &call,
                const Forced &forced) {
    const int64_t outputs = geometry.channels.outputs;
    const Machine &machine = call.machine;
    if (forced.entry != nullptr) {
        const Variant &v = forced.entry->variant;
        if (const std::string why_not = refusal(v, options, call); !why_not.empty()) {
            throw InvalidArgument("variant " + v.name + " " + why_not);
        }
        return {{make_part(*forced.entry, geometry, 0, outputs, forced.rows_per_task, machine)},
                "the caller asked for it",
                0};
    }
    const Algorithm algorithm = algorithm_for(options, geometry, call);
    const std::vector<const Entry *> entries = candidates(options, call, algorithm);
    const std::optional<Winner> winner = recall(geometry, call.layout, call.types, machine);
    if (winner && winner->entry->variant.device == call.device && algorithm_of(winner->entry->variant) == algorithm) {
        return {{make_part(*winner->entry, geometry, 0, outputs, winner->rows_per_task, machine)},
                "measured fastest of " + std::to_string(winner->candidates) +
                    " candidates by unstride tune: " + std::to_string(winner->nanoseconds / 1000) + " us",
                as_double(winner->nanoseconds) * 1e-9};
    }
    if (entries.empty()) {
        throw InvalidArgument(why_no_kernels(call.layout, call.types));
    }
    const Choice choice = call.device == Device::cpu ? cheapest_with_rest(entries, geometry, machine)
                                                     : cheapest(entries, geometry, machine);
    const Entry &main = *choice.entries.front();
    const Estimate &e = choice.estimate;
    const std::string reason = "the least estimated time of the " + main.variant.isa +
                               " kernels: " + percent(e.multiply_adds, e.total()) + " of it in the multiply-adds, " +
                               percent(e.stores, e.total()) + " in stores, " + percent(e.staging, e.total()) +
                               " in staging input rows";
    if (choice.entries.size() == 1) {
        return {{make_part(main, geometry, 0, outputs, 0, machine)}, reason, 0};
    }
    const int64_t whole = whole_blocks(main, geometry);
    return {{make_part(main, geometry, 0, whole, 0, machine),
             make_part(*choice.entries.back(), geometry, whole, outputs - whole, 0, machine)},
            reason,
            0};
}

bool uses(const Decision &decision, Algorithm algorithm) {
    return std::any_of(decision.parts.begin(), decision.parts.end(),
                       [&](const Part &part) { return algorithm_of(part.entry->variant) == algorithm; });
}

double expected_cycles(const Decision &decision, const Geometry &geometry, const Machine &machine) {
    double cycles = 0;
    for (const Part &part : decision.parts) {
        if (part.entry->variant.device != Device::cpu) {
            cycles += estimate(*part.entry, part_of(geometry, part), machine).total() / machine.threads;
            continue;
        }
        const int64_t tasks = part.split.tasks;
        // Threads end together only if tasks can be shared out evenly.
        const double all = estimate(*part.entry, part_of(geometry, part), machine).total();
        cycles += tasks == 0 ? 0 : all / as_double(tasks) * as_double(divide_up(tasks, machine.threads));
    }
    return cycles;
}

int64_t scratch_bytes(const Part &part, const Geometry &geometry, int threads) {
    return product({scratch_elements(*part.entry, part_of(geometry, part), part.split), threads,
                    size_of(part.entry->variant.types.sums())});
}

}  // namespace unstride
