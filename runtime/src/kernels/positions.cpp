// Sums over positions: of the bias gradient, which has neither taps nor weights.

#include "kernels/positions.h"

#include <algorithm>

#include "kernels/catalog.h"
#include "kernels/family_rules.h"
#include "partial_sums.h"
#include "problem/checked.h"

namespace unstride {
namespace {

// A chunk has at most `most_steps` steps, which bounds the error, and at least `least_steps` where there are any, which
// bounds the memory that the chunks' sums take. In between there are chunks enough for many threads.
constexpr int64_t least_steps = 16, most_steps = 128, many_chunks = 64;

// Bytes of memory that a core reads in a cycle, about.
constexpr double bytes_of_cycle = 8;

PositionChunks chunks_of(const Geometry &geometry) {
    const auto &[z, y, x] = geometry.extent;
    return unstride::chunks_of(geometry.batch, product({z.output, y.output, x.output}));
}

Estimate estimate_positions(const Entry &entry, const Geometry &geometry, const Split & /*split*/,
                            const Machine & /*machine*/) {
    const double elements = as_double(geometry.output_elements());
    return {
        0, 0,
        std::max(elements / entry.lanes, elements * as_double(size_of(entry.variant.types.input)) / bytes_of_cycle)};
}

Split split_positions(const Entry & /*entry*/, const Geometry &geometry, int64_t /*rows*/,
                      const Machine & /*machine*/) {
    Split split{0, 0, 0, 0, chunks_of(geometry).count(), true};
    split.calls = 1;
    return split;
}

int64_t partial_elements(const Entry & /*entry*/, const Geometry &geometry, const Split & /*split*/) {
    return multiply(geometry.channels.outputs, partial_sums);
}

int64_t chunk_elements(const Entry & /*entry*/, const Geometry &geometry, const Split &split) {
    return multiply(geometry.channels.outputs, split.tasks);
}

const CostModel position_cost{
    estimate_positions,
    split_positions,
    partial_elements,
    chunk_elements,
    {nullptr, nullptr, "reading grad_output, for which each instruction set has one kernel"},
};

}  // namespace

PositionChunks chunks_of(int64_t batch, int64_t positions) {
    const int64_t steps_of_item = std::max<int64_t>(divide_up(positions, partial_sums), 1),
                  steps = std::clamp(multiply(batch, steps_of_item) / many_chunks, least_steps, most_steps),
                  items = std::max<int64_t>(steps / steps_of_item, 1);
    return {steps, items, divide_up(steps_of_item, steps), divide_up(batch, items)};
}

extern const SumsRules position_sums{
    Sums::positions, "positions", always_pays, no_obstacle, cut_nothing,    cut_width,     1,
    false,           no_panels,   {},          {},          &position_cost, &position_cost};

}  // namespace unstride
