#include "plan/describe.h"

#include <algorithm>

#include "kernels/panels.h"
#include "plan/planner.h"
#include "problem/checked.h"

namespace unstride {
namespace {

// Returns how many times the kernel of `part` is called if all views are dense. A GPU may have room for copies of
// only some items at a time; then the calls for these are repeated until all items are computed.
int64_t kernel_calls(const Part &part, const Geometry &layer) {
    if (sums_over_positions(part.entry->variant.op)) {
        return part.split.calls;
    }
    const int64_t batch = std::max<int64_t>(layer.batch, 1);
    const int64_t apart = std::max(layer.input_elements(), layer.output_elements()) / batch;
    const bool on_cpu = part.entry->variant.device == Device::cpu;
    const int64_t at_once = on_cpu ? batch : std::min(batch, items_in_32_bits(layer, apart));
    int64_t calls = 0;
    for (Piece piece : part.pieces) {
        piece.geometry.batch = at_once;
        const int64_t calls_at_once = divide_up(at_once, items_of_call(part, piece, apart));
        const auto &[depth, height, width] = piece.cuts;
        calls += divide_up(layer.batch, at_once) * calls_at_once *
                 static_cast<int64_t>(depth.size() * height.size() * width.size());
    }
    return calls;
}

// Returns the size of what a problem reads and writes. Sums over positions read both of the layer's arrays, where these
// have elements, and write a gradient in place of reading weights.
int64_t compulsory_bytes(const Problem &problem) {
    const Geometry &g = problem.geometry;
    const Types &types = problem.types;
    if (sums_over_positions(problem.op)) {
        return (g.input_elements() + g.output_elements()) * size_of(types.input) +
               g.weight_elements() * size_of(types.output);
    }
    return g.input_elements() * size_of(types.input) + g.weight_elements() * size_of(types.sums()) +
           g.output_elements() * size_of(types.output);
}

}  // namespace

Plan describe(const Program &program, const Problem &problem, const Machine &machine) {
    const Geometry &geometry = problem.geometry;
    const Part &main = program.parts.front(), &last = program.parts.back();
    Plan plan{};
    plan.variant = main.entry->variant;
    plan.rest = &last == &main ? "" : last.entry->variant.name;
    plan.channels = main.channels.count * geometry.channels.groups;
    plan.reason = program.reason;
    if (problem.by_forward) {
        plan.reason += "; with stride 1, the input gradient is a forward with the kernel reversed";
    }
    plan.threads = machine.threads;
    plan.rows_per_task = main.split.rows;
    plan.slices_per_task = main.split.slices;
    for (const Part &part : program.parts) {
        plan.tasks += part.split.tasks;
        plan.kernel_calls += kernel_calls(part, geometry);
        plan.packed_bytes += packed_bytes(geometry_of(part, geometry), *part.entry);
        plan.scratch_bytes = std::max(plan.scratch_bytes, scratch_bytes(part, machine.threads));
    }
    plan.multiply_adds = problem.layer().multiply_adds();
    plan.compulsory_bytes = as_double(compulsory_bytes(problem));
    plan.measured = program.measured_seconds > 0;
    if (plan.measured) {
        plan.expected_seconds = program.measured_seconds;
    } else if (machine.clock_hertz > 0) {
        const Estimate seconds = expected_cycles(program, geometry, machine).times(1 / machine.clock_hertz);
        plan.expected_seconds = seconds.total();
        plan.seconds_of_stores = seconds.stores;
        plan.seconds_of_staging = seconds.staging;
    }
    return plan;
}

}  // namespace unstride
