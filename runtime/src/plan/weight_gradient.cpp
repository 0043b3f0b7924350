#include "plan/weight_gradient.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "problem/checked.h"
#include "unstride/error.h"

namespace unstride {
namespace {

// The bytes of a staged operand that a task reads again and again, so that it and the other one stay in a second-level
// cache.
constexpr int64_t most_staged_bytes = 256 << 10;

// How many elements are staged for a run, and for grad_output one tap of depth and height, of each channel.
struct StagedElements {
    int64_t inputs, outputs;
};

StagedElements staged_elements(const SummationOrder &order, const Geometry &geometry) {
    constexpr int64_t side = 4;  // columns that are turned at a time, in a row that is kept beside what is staged
    const Extent &x = geometry.extent[2];
    const int64_t rows = order.run[0] * order.run[1] * order.run[2], columns = order.run[3];
    const int64_t met = (columns - 1) * x.axis.stride + (x.kernel - 1) * x.axis.dilation + 1;
    const int64_t outputs = std::clamp<int64_t>(met, 1, std::max<int64_t>(x.output, 1));
    return {rows * columns + columns + side, rows * divide_up(outputs, x.axis.stride) * x.axis.stride + outputs + side};
}

struct StagedBytes {
    int64_t lane_block, other_block;  // of one block
};

StagedBytes staged_bytes(const WeightGradientProgram &p, const Geometry &geometry) {
    const StagedElements staged = staged_elements(p.order, geometry);
    const int64_t bytes = sum_bytes(*p.entry), lanes = p.tiles.lanes;
    switch (p.tiles.family) {
    case Family::outputs:
        return {staged.outputs * lanes * bytes, staged.inputs * p.tiles.others * bytes};
    case Family::inputs:
        return {staged.inputs * lanes * bytes, staged.outputs * bytes};
    default:
        return {(staged.inputs + staged.outputs) * lanes * bytes, 0};
    }
}

int64_t scratch_bytes(const WeightGradientProgram &p, const Geometry &geometry, int threads) {
    const StagedBytes staged = staged_bytes(p, geometry);
    const int64_t at_once = std::min<int64_t>(threads, p.tasks());
    return add(multiply(p.partial_elements(), sum_bytes(*p.entry)),
               multiply(at_once, staged.lane_block * p.lane_share + staged.other_block * p.other_share));
}

// Chooses shares that fit a cache, and so many of them that all threads end at about the same time.
void share_out(WeightGradientProgram &p, const Geometry &geometry, int threads) {
    const StagedBytes staged = staged_bytes(p, geometry);
    const auto fit = [](int64_t blocks, int64_t bytes) {
        return std::clamp<int64_t>(most_staged_bytes / std::max<int64_t>(bytes, 1), 1, blocks);
    };
    const auto even = [](int64_t blocks, int64_t most) { return divide_up(blocks, divide_up(blocks, most)); };
    p.lane_share = even(p.tiles.lane_blocks, fit(p.tiles.lane_blocks, staged.lane_block));
    p.other_share = even(p.tiles.other_blocks, fit(p.tiles.other_blocks, staged.other_block));
    constexpr double idle = 1.1;
    const auto is_balanced = [&] {
        const int64_t tasks = p.tasks();
        return as_double(divide_up(tasks, threads) * threads) <= idle * as_double(tasks);
    };
    while (!is_balanced() && (p.lane_share > 1 || p.other_share > 1)) {
        int64_t &share = p.other_share > 1 ? p.other_share : p.lane_share;
        share = divide_up(share, 2);
    }
}

WeightGradientProgram program_of(const Entry &entry, const Problem &problem, const Machine &machine,
                                 std::string reason) {
    const Geometry &geometry = problem.geometry;
    const Channels seen = entry.rules->channels_seen(geometry.channels);
    WeightGradientProgram p{&entry,
                            seen,
                            summation_order(geometry, sum_bytes(entry)),
                            product_tiles(entry, seen, geometry),
                            1,
                            1,
                            std::move(reason),
                            estimate_products(entry, geometry, machine)};
    share_out(p, geometry, machine.threads);
    return p;
}

// Returns why a kernel cannot compute a problem, to be said after the kernel's name; empty if it can.
std::string refusal(const Entry &entry, const ConvTranspose3dOptions &options, const Problem &problem,
                    const Machine &machine) {
    const Variant &v = entry.variant;
    if (v.op != problem.op) {
        return std::string("computes the ") + to_string(v.op) + ", not the " + to_string(problem.op);
    }
    if (v.layout != problem.layout) {
        return std::string("is for layout ") + to_string(v.layout) + ", not " + to_string(problem.layout);
    }
    if (v.types.input != problem.types.input) {
        return std::string("is for type ") + to_string(v.types.input) + ", not " + to_string(problem.types.input);
    }
    return obstacle(entry, options, machine);
}

}  // namespace

int64_t WeightGradientProgram::tasks() const {
    return order.chunks * seen.groups * divide_up(tiles.lane_blocks, lane_share) *
           divide_up(tiles.other_blocks, other_share);
}

int64_t WeightGradientProgram::partial_elements() const {
    return product({order.chunks, seen.groups, tiles.elements()});
}

WeightGradientProgram decide_weight_gradient(const ConvTranspose3dOptions &options, const Problem &problem,
                                             const Machine &machine, const Forced &forced) {
    if (problem.device != Device::cpu) {
        throw InvalidArgument(std::string("weight_gradient has no kernels for ") + to_string(problem.device));
    }
    if (forced.entry != nullptr) {
        if (const std::string why_not = refusal(*forced.entry, options, problem, machine); !why_not.empty()) {
            throw InvalidArgument("variant " + forced.entry->variant.name + " " + why_not);
        }
        return program_of(*forced.entry, problem, machine, "the caller asked for it");
    }
    std::vector<const Entry *> possible;
    bool fma = false;
    for (const Entry &entry : catalog()) {
        if (entry.variant.op == problem.op && entry.variant.device == problem.device &&
            refusal(entry, options, problem, machine).empty()) {
            possible.push_back(&entry);
            fma = fma || entry.isa->fma;
        }
    }
    std::optional<WeightGradientProgram> best;
    int64_t count = 0;
    for (const Entry *entry : possible) {
        if (entry->isa->fma != fma) {  // which rounds differently
            continue;
        }
        WeightGradientProgram program = program_of(*entry, problem, machine, "");
        if (!best || program.estimate.total() < best->estimate.total()) {
            best = std::move(program);
        }
        count++;
    }
    if (!best) {
        throw InvalidArgument(why_no_kernels(problem.layout, problem.types));
    }
    const Estimate &e = best->estimate;
    const auto percent = [&](double part) {
        return std::to_string(e.total() > 0 ? std::lround(part / e.total() * 100) : 0) + " %";
    };
    best->reason = "the least estimated time of " + std::to_string(count) + " kernels: " + percent(e.multiply_adds) +
                   " of it in the multiply-adds, " + percent(e.stores) + " in adding up runs, " + percent(e.staging) +
                   " in staging input and grad_output";
    return *std::move(best);
}

Plan plan_weight_gradient(const ConvTranspose3dOptions &options, const Problem &problem, const Machine &machine,
                          const Forced &forced) {
    const WeightGradientProgram program = decide_weight_gradient(options, problem, machine, forced);
    const Geometry &geometry = problem.geometry;
    Plan plan{};
    plan.variant = program.entry->variant;
    plan.channels = geometry.channels.outputs * geometry.channels.groups;
    plan.reason = program.reason;
    plan.threads = machine.threads;
    plan.tasks = program.tasks();
    plan.rows_per_task = program.order.run[2];
    plan.kernel_calls = program.order.chunks > 0 ? program.tasks() / program.order.chunks * program.order.runs() : 0;
    plan.scratch_bytes = scratch_bytes(program, geometry, machine.threads);
    plan.multiply_adds = geometry.multiply_adds();
    plan.compulsory_bytes =
        as_double(geometry.input_elements() + geometry.output_elements()) * as_double(size_of(problem.types.input)) +
        as_double(geometry.weight_elements() * size_of(problem.types.output));
    if (machine.clock_hertz > 0 && plan.tasks > 0) {
        const double idle =
            as_double(divide_up(plan.tasks, machine.threads)) / as_double(plan.tasks) / machine.clock_hertz;
        const Estimate seconds = program.estimate.times(idle);
        plan.expected_seconds = seconds.total();
        plan.seconds_of_stores = seconds.stores;
        plan.seconds_of_staging = seconds.staging;
    }
    return plan;
}

}  // namespace unstride
