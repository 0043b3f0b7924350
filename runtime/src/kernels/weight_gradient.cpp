#include "kernels/weight_gradient.h"

#include <algorithm>

#include "problem/checked.h"

namespace unstride {
namespace {

constexpr int64_t positions_of_run = 256, most_chunks = 64, runs_of_chunk = 8, most_chunk_bytes = int64_t{16} << 20;

// The bytes of a staged operand that a task reads again and again, so that it and the other one stay in a second-level
// cache.
constexpr int64_t most_staged_bytes = 256 << 10;

// Returns the extent of runs that are alike and have at most `most` elements.
int64_t even_part(int64_t extent, int64_t most) {
    return extent == 0 ? 1 : divide_up(extent, divide_up(extent, std::clamp<int64_t>(most, 1, extent)));
}

}  // namespace

int64_t SummationOrder::runs() const {
    int64_t result = 1;
    for (size_t d = 0; d < 4; d++) {
        result *= divide_up(extents[d], run[d]);
    }
    return result;
}

Box SummationOrder::box(int64_t number) const {
    Box box;
    for (size_t d = 4; d-- > 0;) {
        const int64_t parts = divide_up(extents[d], run[d]), first = number % parts * run[d];
        box[d] = {first, 1, std::min(run[d], extents[d] - first)};
        number /= parts;
    }
    return box;
}

Range SummationOrder::runs_of(int64_t chunk) const {
    const int64_t all = runs(), first = all * chunk / chunks;
    return {first, 1, all * (chunk + 1) / chunks - first};
}

SummationOrder summation_order(const Geometry &geometry, int64_t sum_bytes) {
    const auto &[z, y, x] = geometry.extent;
    SummationOrder order{{geometry.batch, z.input, y.input, x.input}, {1, 1, 1, 1}, 0};
    // Where strides are large, a run has fewer positions: the outputs between are staged, too.
    const int64_t most = std::clamp<int64_t>(16 * positions_of_run / x.axis.stride, 32, positions_of_run);
    order.run[3] = even_part(x.input, 2 * most);
    int64_t positions = order.run[3];
    // The batch is folded into runs twice as long: where rows are that few, weights are many.
    for (size_t d = 3; d-- > 0 && order.run[d + 1] == order.extents[d + 1];) {
        order.run[d] = even_part(order.extents[d], (d == 0 ? 2 * most : most) / positions);
        positions *= order.run[d];
    }
    const int64_t all = order.runs(), bytes = std::max<int64_t>(geometry.weight_elements() * sum_bytes, 1);
    const int64_t fit = std::max<int64_t>(most_chunk_bytes / bytes, 1);
    order.chunks = std::min(std::clamp<int64_t>(all / runs_of_chunk, 1, most_chunks), fit);
    return order;
}

Meeting meeting_of(const Extent &extent, const Range &inputs) {
    const Axis<int64_t> &axis = extent.axis;
    const int64_t first = inputs.first * axis.stride - axis.padding;
    const int64_t last = first + (inputs.count - 1) * axis.stride + (extent.kernel - 1) * axis.dilation;
    const int64_t begin = std::max<int64_t>(first, 0), end = std::min(last + 1, extent.output);
    return {{begin, 1, end - begin}, begin - first};
}

int64_t ProductTiles::place_of_tap_x(int64_t kx) const {
    return family == Family::outputs ? kx * lanes * others : kx * lanes;
}

ProductTiles product_tiles(const Entry &entry, const Channels &seen, const Geometry &geometry) {
    const auto &[z, y, x] = geometry.extent;
    const int64_t lanes = entry.variant.block, others = entry.variant.columns;
    const Family family = entry.facts->family;
    ProductTiles tiles{family, lanes, others, {divide_up(x.kernel, others), y.kernel, z.kernel}, 0, 1};
    switch (family) {
    case Family::outputs:
        tiles.taps[0] = x.kernel;
        tiles.lane_blocks = divide_up(seen.outputs, lanes);
        tiles.other_blocks = divide_up(seen.inputs, others);
        break;
    case Family::inputs:
        tiles.lane_blocks = divide_up(seen.inputs, lanes);
        tiles.other_blocks = seen.outputs;
        break;
    default:
        tiles.lane_blocks = divide_up(seen.outputs, lanes);
    }
    return tiles;
}

int64_t WeightGradientProgram::tasks() const {
    return order.chunks * seen.groups * divide_up(tiles.lane_blocks, lane_share) *
           divide_up(tiles.other_blocks, other_share);
}

int64_t WeightGradientProgram::share_elements() const {
    return product({lane_share, other_share, tiles.block_elements()});
}

int64_t WeightGradientProgram::partial_elements(int threads) const {
    if (order.chunks == 1) {
        return multiply(std::min<int64_t>(threads, tasks()), share_elements());
    }
    return product({order.chunks, seen.groups, tiles.elements()});
}

WeightGradientProgram weight_gradient_program(const Entry &entry, const Geometry &geometry, const Split &split) {
    const Channels seen = entry.rules->channels_seen(geometry.channels);
    return {
        &entry,       seen,        summation_order(geometry, sum_bytes(entry)), product_tiles(entry, seen, geometry),
        split.blocks, split.others};
}

namespace {

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

// How many elements are staged for one block of a task.
struct StagedBlocks {
    int64_t lane_block, other_block;
};

StagedBlocks staged_blocks(const WeightGradientProgram &p, const Geometry &geometry) {
    const StagedElements staged = staged_elements(p.order, geometry);
    const int64_t lanes = p.tiles.lanes;
    switch (p.tiles.family) {
    case Family::outputs:
        return {staged.outputs * lanes, staged.inputs * p.tiles.others};
    case Family::inputs:
        return {staged.inputs * lanes, staged.outputs};
    default:
        return {(staged.inputs + staged.outputs) * lanes, 0};
    }
}

// Chooses shares that fit a cache, and so many of them that all threads end at about the same time.
void share_out(WeightGradientProgram &p, const Geometry &geometry, int threads) {
    const StagedBlocks staged = staged_blocks(p, geometry);
    const auto fit = [&](int64_t blocks, int64_t elements) {
        const int64_t bytes = multiply(elements, sum_bytes(*p.entry));
        return std::clamp<int64_t>(most_staged_bytes / std::max<int64_t>(bytes, 1), 1, blocks);
    };
    const auto even = [](int64_t blocks, int64_t most) { return divide_up(blocks, divide_up(blocks, most)); };
    p.lane_share = even(p.tiles.lane_blocks, fit(p.tiles.lane_blocks, staged.lane_block));
    p.other_share = even(p.tiles.other_blocks, fit(p.tiles.other_blocks, staged.other_block));
    if (p.order.chunks == 1) {
        // The sums stay in the cache, too, and those of an input channel that are neighbours in the gradient are enough
        // for memory to be written fast.
        constexpr int64_t neighbour_bytes = 2048;
        const int64_t block = p.tiles.block_elements() * sum_bytes(*p.entry),
                      neighbours = divide_up(neighbour_bytes * p.tiles.others, block),
                      most = fit(p.tiles.lane_blocks * p.tiles.other_blocks, p.tiles.block_elements());
        p.lane_share = even(p.tiles.lane_blocks, std::min(p.lane_share, neighbours));
        p.other_share = even(p.tiles.other_blocks, std::clamp<int64_t>(most / p.lane_share, 1, p.other_share));
    }
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

Split split_products(const Entry &entry, const Geometry &geometry, int64_t /*rows*/, const Machine &machine) {
    Split split{0, 0, 0, 1};
    WeightGradientProgram p = weight_gradient_program(entry, geometry, split);
    share_out(p, geometry, machine.threads);
    split.blocks = p.lane_share;
    split.others = p.other_share;
    split.tasks = p.tasks();
    split.calls = split.tasks / p.order.chunks * p.order.runs();
    return split;
}

// What a task stages, and its share of the only chunk if there is one.
int64_t scratch_of_task(const Entry &entry, const Geometry &geometry, const Split &split) {
    const WeightGradientProgram p = weight_gradient_program(entry, geometry, split);
    const StagedBlocks staged = staged_blocks(p, geometry);
    return staged.lane_block * split.blocks + staged.other_block * split.others +
           (p.order.chunks == 1 ? p.share_elements() : 0);
}

// The arrays of all chunks, if there are several.
int64_t sums_of_chunks(const Entry &entry, const Geometry &geometry, const Split &split) {
    const WeightGradientProgram p = weight_gradient_program(entry, geometry, split);
    return p.order.chunks == 1 ? 0 : p.partial_elements(1);
}

Estimate estimate_products(const Entry &entry, const Geometry &geometry, const Split & /*split*/,
                           const Machine &machine) {
    constexpr double turned = 2, waiting = 1.08, cycles_of_addition = 3;
    const Core core = core_of(entry, machine);
    const Channels seen = entry.rules->channels_seen(geometry.channels);
    const ProductTiles tiles = product_tiles(entry, seen, geometry);
    const auto &[z, y, x] = geometry.extent;
    const Channels &all = geometry.channels;
    const double groups = as_double(seen.groups), others = as_double(tiles.others);
    const double vectors = as_double(tiles.lanes) / entry.lanes;
    const double meetings = geometry.multiply_adds() / as_double(all.groups * all.inputs * all.outputs);

    const bool of_taps = tiles.family != Family::outputs;
    const double loads = tiles.family == Family::diagonal ? vectors * (1 + others) : vectors;
    const double broadcasts = tiles.family == Family::diagonal ? 0 : others;
    const SummationOrder order = summation_order(geometry, sum_bytes(entry));
    // What lies across vectors is read again for each tile of the rest, from the first-level cache if it fits there. A
    // tile which has no more sums than the latency asks for has nothing to do while it waits for memory.
    const double lane_bytes = as_double(tiles.lanes * sum_bytes(entry));
    const bool in_l1 = as_double(product({order.run[0], order.run[1], order.run[2], order.run[3]})) * lane_bytes <=
                       as_double(machine.l1d);
    const double step =
        std::max({cycles_of_step(core, {vectors * others, loads, broadcasts}), core.microarchitecture.latency * waiting,
                  in_l1 ? 0 : lane_bytes / core.microarchitecture.bytes_from_l2});
    const double steps = meetings * (of_taps ? as_double(tiles.taps[0]) / as_double(x.kernel) : 1) *
                         as_double(tiles.lane_blocks * tiles.other_blocks) * groups;

    const double positions = as_double(geometry.batch * z.input) * as_double(y.input * x.input);
    const double copy = cycles_of_copy(core, 1) * (entry.variant.layout == Layout::ncdhw ? turned : 1);
    const double input_vectors = as_double(divide_up(seen.inputs, entry.lanes)),
                 output_vectors =
                     tiles.family == Family::inputs ? as_double(seen.outputs) : as_double(tiles.lane_blocks) * vectors;
    const double staged =
        positions * groups * (input_vectors + output_vectors * as_double(x.axis.stride * y.kernel * z.kernel));

    const double sums = as_double(tiles.elements()) * groups / entry.lanes * as_double(order.runs());
    return {steps * step, sums * cycles_of_addition, staged * copy};
}

constexpr CostModel product_cost{
    estimate_products,
    split_products,
    scratch_of_task,
    sums_of_chunks,
    {"the multiply-adds", "adding up runs", "staging input and grad_output"},
};

}  // namespace

extern const SumsRules products_sums{
    Sums::products,
    "products",
    always_pays,
    no_obstacle,
    cut_nothing,
    cut_width,
    1,      // output of a row
    false,  // no blocks of products of taps
    no_panels,
    {},
    {},
    &product_cost,
    &products_gpu_cost,
};

}  // namespace unstride
