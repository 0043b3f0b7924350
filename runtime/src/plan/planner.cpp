#include "plan/planner.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include "device/machine.h"
#include "plan/fold.h"
#include "plan/wisdom.h"
#include "problem/checked.h"
#include "unstride/error.h"

namespace unstride {
namespace {

std::string percent(double part, double whole) {
    return std::to_string(whole > 0 ? std::lround(part / whole * 100) : 0) + " %";
}

// Returns as text all parameters of a layer that are built into a kernel which was compiled for it. Layers with the
// same text can run with the same kernel, and the text tells callers which layer that is.
std::string parameters_of_layer(const ConvTranspose3dOptions &o) {
    const auto triple = [](const Triple &t) {
        return std::to_string(t.depth) + "x" + std::to_string(t.height) + "x" + std::to_string(t.width);
    };
    return "in_channels " + std::to_string(o.in_channels) + ", out_channels " + std::to_string(o.out_channels) +
           ", groups " + std::to_string(o.groups) + ", kernel_size " + triple(o.kernel_size) + ", stride " +
           triple(o.stride) + ", padding " + triple(o.padding) + ", dilation " + triple(o.dilation);
}

// Returns whether a layer is as a kernel knows it (Variant::known_kernel).
bool has_known(const Variant &v, const ConvTranspose3dOptions &o) {
    const auto is_known = [&](int axis) {
        return o.kernel_size[axis] == v.known_kernel && o.stride[axis] == v.known_stride && o.dilation[axis] == 1;
    };
    return is_known(1) && is_known(2);
}

Geometry with_outputs(Geometry geometry, int64_t outputs) {
    geometry.channels.outputs = outputs;
    return geometry;
}

// Returns a message about the condition that a kernel needs and that a call does not meet; empty if there is none.
std::string unmet(const Entry &entry, const Conditions &conditions) {
    const FamilyRules &rules = *entry.rules;
    return rules.needs == nullptr || conditions.*rules.needs ? "" : rules.unmet;
}

// Returns whether the planner may choose a kernel for a problem. Kernels that Halide's autoscheduler made only run
// where the caller asks for them.
bool is_possible(const Entry &entry, const ConvTranspose3dOptions &options, const Problem &problem,
                 const Machine &machine) {
    const Variant &v = entry.variant;
    return !entry.autoscheduled && v.op == problem.op_of_kernels() && v.device == problem.device &&
           v.layout == problem.layout && v.types == problem.types_of_kernels() &&
           unmet(entry, problem.conditions).empty() && obstacle(entry, options, machine).empty();
}

// Returns the kernel's split of a layer into tasks, with `rows` output rows for each, or the best number if it is 0. A
// long row is folded into several first (plan/fold.h), because models of cost know nothing of that.
Split split(const Entry &entry, const Geometry &geometry, int64_t rows, const Machine &machine) {
    return entry.cost->split(entry, folded(geometry, entry.variant), rows, machine);
}

// Returns the estimated time of a kernel with its best split, for a layer whose long row is folded in the same way.
Estimate estimate(const Entry &entry, const Geometry &geometry, const Machine &machine) {
    const Geometry rows = folded(geometry, entry.variant);
    return entry.cost->estimate(entry, rows, entry.cost->split(entry, rows, 0, machine), machine);
}

struct Choice {
    std::vector<const Entry *> entries;  // one kernel, or one for whole blocks of output channels and one for the rest
    Estimate estimate;
};

// Returns the kernel of least estimated time; no kernel and a time of 0 if there are no kernels to choose from.
Choice cheapest(const std::vector<const Entry *> &kernels, const Geometry &geometry, const Machine &machine) {
    Choice best{{}, {}};
    for (const Entry *entry : kernels) {
        const Estimate e = estimate(*entry, geometry, machine);
        if (best.entries.empty() || e.total() < best.estimate.total()) {
            best = {{entry}, e};
        }
    }
    return best;
}

// Returns how many of a group's output channels fill whole blocks of a kernel.
int64_t whole_blocks(const Entry &entry, const Geometry &geometry) {
    return geometry.channels.outputs / entry.variant.block * entry.variant.block;
}

// Returns the kernel of least estimated time, or two kernels if they take less together. Two can be better because a
// last block of output channels that is mostly empty costs as much as a full one, so that a kernel with smaller blocks
// may compute these channels faster. Many kernels leave the same number of channels, so that the kernel for each such
// number is looked for only once.
Choice cheapest_with_rest(const std::vector<const Entry *> &kernels, const Geometry &geometry, const Machine &machine) {
    Choice best = cheapest(kernels, geometry, machine);
    const Entry &any = *kernels.front();
    if (geometry.depthwise() || any.sums->has_blocks_of_products || sums_over_positions(any.variant.op)) {
        return best;
    }
    std::map<int64_t, Choice> for_rest;
    for (const Entry *entry : kernels) {
        const int64_t whole = whole_blocks(*entry, geometry), rest = geometry.channels.outputs - whole;
        if (whole == 0 || rest == 0) {
            continue;
        }
        const Estimate first = estimate(*entry, with_outputs(geometry, whole), machine);
        auto known = for_rest.find(rest);
        if (known == for_rest.end()) {
            known = for_rest.emplace(rest, cheapest(kernels, with_outputs(geometry, rest), machine)).first;
        }
        const Choice &second = known->second;
        const Estimate sum = first + second.estimate;
        if (sum.total() < best.estimate.total()) {
            best = {{entry, second.entries.front()}, sum};
        }
    }
    return best;
}

// Returns the calls that compute `channels` output channels of each group from `first` on, with `rows` output rows in a
// task, or with the best number of rows if it is 0.
Part make_part(const Entry &entry, const Problem &problem, int64_t first, int64_t channels, int64_t rows,
               const Machine &machine) {
    return lower(entry, problem, first, channels,
                 split(entry, with_outputs(problem.geometry, channels), rows, machine));
}

// Returns why a kernel that the caller forces cannot compute a problem, to be said after the kernel's name; empty if it
// can.
std::string refusal(const Entry &entry, const ConvTranspose3dOptions &options, const Problem &problem,
                    const Machine &machine) {
    const Variant &v = entry.variant;
    if (v.op != problem.op_of_kernels()) {
        return std::string("computes the ") + to_string(v.op) + ", not the " + to_string(problem.op);
    }
    if (v.layout != problem.layout) {
        return std::string("is for layout ") + to_string(v.layout) + ", not " + to_string(problem.layout);
    }
    if (!(v.types == problem.types_of_kernels())) {
        return "is for type " + to_string(v.types) + ", not " + to_string(problem.types_of_kernels());
    }
    const std::string why_not = obstacle(entry, options, machine);
    return why_not.empty() ? unmet(entry, problem.conditions) : why_not;
}

Program decide_forced(const ConvTranspose3dOptions &options, const Problem &problem, const Machine &machine,
                      const Forced &forced) {
    if (const std::string why_not = refusal(*forced.entry, options, problem, machine); !why_not.empty()) {
        throw InvalidArgument("variant " + forced.entry->variant.name + " " + why_not);
    }
    return {{make_part(*forced.entry, problem, 0, problem.geometry.channels.outputs, forced.rows_per_task, machine)},
            "the caller asked for it",
            0};
}

Program decide_by_wisdom(const Winner &winner, const Problem &problem, const Machine &machine) {
    const Geometry &geometry = problem.geometry;
    return {{make_part(*winner.entry, problem, 0, geometry.channels.outputs, winner.rows_per_task, machine)},
            "measured fastest of " + std::to_string(winner.candidates) +
                " candidates, as wisdom tells: " + std::to_string(winner.nanoseconds / 1000) + " us",
            as_double(winner.nanoseconds) * 1e-9};
}

// Returns what the kernel of a choice is expected to spend its time on, for users.
std::string reason_of(const Choice &choice, size_t kernels) {
    const CostModel &cost = *choice.entries.front()->cost;
    const Estimate &e = choice.estimate;
    const std::array<double, 3> times{e.multiply_adds, e.stores, e.staging};
    std::string reason, before = ": ", after = " of it in ";
    for (size_t i = 0; i < times.size(); i++) {
        if (cost.terms[i] != nullptr) {
            reason += std::exchange(before, ", ") + percent(times[i], e.total()) + std::exchange(after, " in ") +
                      cost.terms[i];
        }
    }
    return "the least estimated time of " + std::to_string(kernels) + (kernels == 1 ? " kernel" : " kernels") + reason;
}

Program decide_by_estimate(const std::vector<const Entry *> &kernels, const Problem &problem, const Machine &machine) {
    const Geometry &geometry = problem.geometry;
    const int64_t outputs = geometry.channels.outputs;
    const Choice choice = problem.device == Device::cpu ? cheapest_with_rest(kernels, geometry, machine)
                                                        : cheapest(kernels, geometry, machine);
    const Entry &main = *choice.entries.front();
    const std::string reason = reason_of(choice, kernels.size());
    if (choice.entries.size() == 1) {
        return {{make_part(main, problem, 0, outputs, 0, machine)}, reason, 0};
    }
    const int64_t whole = whole_blocks(main, geometry);
    return {{make_part(main, problem, 0, whole, 0, machine),
             make_part(*choice.entries.back(), problem, whole, outputs - whole, 0, machine)},
            reason,
            0};
}

// Returns the options of a layer as kernels see it that compute from its output channels to its input channels.
ConvTranspose3dOptions with_exchanged_channels(ConvTranspose3dOptions options) {
    std::swap(options.in_channels, options.out_channels);
    return options;
}

// Returns the message for a caller whose program has no kernel for a problem.
std::string why_none(const Problem &problem) {
    const bool has_operator = std::any_of(catalog().begin(), catalog().end(), [&](const Entry &e) {
        return e.variant.op == problem.op_of_kernels() && e.variant.device == problem.device;
    });
    return has_operator ? why_no_kernels(problem.layout, problem.types_of_kernels())
                        : std::string(to_string(problem.op)) + " has no kernels for " + to_string(problem.device);
}

}  // namespace

ConvTranspose3dOptions options_of_kernels(ConvTranspose3dOptions options, bool by_forward) {
    if (by_forward) {
        const auto padding = [&](int d) {
            return options.dilation[d] * (options.kernel_size[d] - 1) - options.padding[d];
        };
        options.padding = {padding(0), padding(1), padding(2)};
        options = with_exchanged_channels(std::move(options));
    }
    return options;
}

std::string obstacle(const Entry &entry, const ConvTranspose3dOptions &o, const Machine &machine) {
    const Variant &v = entry.variant;
    if (std::string lack = v.device == Device::cpu ? lack_of(v.isa, machine) : ""; !lack.empty()) {
        return lack;
    }
    if (v.layer && parameters_of_layer(*v.layer) != parameters_of_layer(o)) {
        return "needs the layer that it was compiled for: " + parameters_of_layer(*v.layer);
    }
    if (v.stride_x != 1 && (o.stride.width != v.stride_x || o.dilation.width != 1)) {
        return "needs stride " + std::to_string(v.stride_x) + " and dilation 1 along the width";
    }
    if (v.known_kernel != 0 && !has_known(v, o)) {
        return "needs kernel size " + std::to_string(v.known_kernel) + ", stride " + std::to_string(v.known_stride) +
               " and dilation 1 along height and width";
    }
    const ConvTranspose3dOptions seen = v.op == Operator::input_gradient ? with_exchanged_channels(o) : o;
    if (std::string of_sums = entry.sums->obstacle(seen); !of_sums.empty()) {
        return of_sums;
    }
    if (std::string of_family = entry.rules->obstacle(seen); !of_family.empty()) {
        return of_family;
    }
    const Channels channels{seen.groups, seen.in_channels / seen.groups, seen.out_channels / seen.groups};
    const bool fills_blocks = entry.rules->channels_seen(channels).outputs % v.block == 0;
    return entry.rules->whole_blocks && !fills_blocks ? "needs a multiple of " + std::to_string(v.block) + " channels"
                                                      : "";
}

std::vector<const Entry *> candidates(const ConvTranspose3dOptions &options, const Problem &problem,
                                      const Machine &machine) {
    std::vector<const Entry *> possible;
    for (const Entry &entry : catalog()) {
        if (is_possible(entry, options, problem, machine)) {
            possible.push_back(&entry);
        }
    }
    const bool fma = std::any_of(possible.begin(), possible.end(), [](const Entry *e) { return e->isa->fma; });
    for (const SumsRules *sums : all_sums()) {
        std::vector<const Entry *> found;
        std::copy_if(possible.begin(), possible.end(), std::back_inserter(found),
                     [&](const Entry *entry) { return entry->sums == sums && entry->isa->fma == fma; });
        if (!found.empty() && sums->pays(problem.whole ? *problem.whole : problem.geometry)) {
            return found;
        }
    }
    return {};
}

Program decide(const ConvTranspose3dOptions &options, const Problem &problem, const Machine &machine,
               const Forced &forced) {
    if (forced.entry != nullptr) {
        return decide_forced(options, problem, machine, forced);
    }
    const std::vector<const Entry *> found = candidates(options, problem, machine);
    if (found.empty()) {
        throw InvalidArgument(why_none(problem));
    }
    const std::optional<Winner> winner = recall(problem, machine);
    if (winner && winner->entry->variant.device == problem.device &&
        winner->entry->variant.rounds_like(found.front()->variant)) {
        return decide_by_wisdom(*winner, problem, machine);
    }
    return decide_by_estimate(found, problem, machine);
}

Estimate expected_cycles(const Program &program, const Geometry &geometry, const Machine &machine) {
    Estimate cycles{};
    for (const Part &part : program.parts) {
        const Estimate all = estimate(*part.entry, geometry_of(part, geometry), machine);
        if (part.entry->variant.device != Device::cpu) {
            cycles = cycles + all.times(1.0 / machine.threads);
        } else if (const int64_t tasks = part.split.tasks; tasks > 0) {
            // Threads end together only if the tasks can be shared out evenly; otherwise all wait for those with one
            // more.
            cycles = cycles + all.times(as_double(divide_up(tasks, machine.threads)) / as_double(tasks));
        }
    }
    return cycles;
}

int64_t scratch_bytes(const Part &part, int threads) {
    const Entry &entry = *part.entry;
    const CostModel &cost = *entry.cost;
    int64_t most = 0;
    for (const Piece &piece : part.pieces) {
        const int64_t shared =
            cost.shared_elements != nullptr ? cost.shared_elements(entry, piece.geometry, part.split) : 0;
        most = std::max(most, add(multiply(cost.scratch_elements(entry, piece.geometry, part.split), threads), shared));
    }
    return multiply(most, sum_bytes(entry));
}

}  // namespace unstride
