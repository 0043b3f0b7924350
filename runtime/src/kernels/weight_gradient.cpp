#include "kernels/weight_gradient.h"

#include <algorithm>

#include "problem/checked.h"

namespace unstride {
namespace {

constexpr int64_t positions_of_run = 256, most_chunks = 64, runs_of_chunk = 8, most_chunk_bytes = int64_t{16} << 20;

// What the weight gradient has no use for: it packs no weights and does not share the tasks of the other operators.
bool never_pays(const Geometry & /*geometry*/) {
    return false;
}

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
    order.chunks = std::min({all, std::clamp<int64_t>(all / runs_of_chunk, 1, most_chunks), fit});
    return order;
}

Meeting meeting_of(const Extent &extent, const Range &inputs) {
    const Axis<int64_t> &axis = extent.axis;
    const int64_t first = inputs.first * axis.stride - axis.padding;
    const int64_t last = first + (inputs.count - 1) * axis.stride + (extent.kernel - 1) * axis.dilation;
    const int64_t begin = std::max<int64_t>(first, 0), end = std::min(last + 1, extent.output);
    return {{begin, 1, end - begin}, begin - first};
}

int64_t ProductTiles::place(int64_t input, int64_t output) const {
    const auto [lane, other_block] = [&]() -> std::array<int64_t, 2> {
        if (family == Family::outputs) {
            return {output, input / others};
        }
        return {input, family == Family::inputs ? output : 0};
    }();
    const int64_t other = family == Family::outputs ? input % others : 0;
    return (other_block * lane_blocks + lane / lanes) * block_elements() + other * lanes + lane % lanes;
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

Estimate estimate_products(const Entry &entry, const Geometry &geometry, const Machine &machine) {
    constexpr double cycles_of_branch = 0.75, turned = 2, cycles_of_addition = 3;
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
    const double step = cycles_of_step(core, {vectors * others, loads, broadcasts}) +
                        (of_taps && others > 1 ? others * cycles_of_branch : 0);
    const double steps = meetings * (of_taps ? as_double(tiles.taps[0]) / as_double(x.kernel) : 1) *
                         as_double(tiles.lane_blocks * tiles.other_blocks) * groups;

    const double positions = as_double(geometry.batch * z.input) * as_double(y.input * x.input);
    const double copy = cycles_of_copy(core, 1) * (entry.variant.layout == Layout::ncdhw ? turned : 1);
    const double input_vectors = as_double(divide_up(seen.inputs, entry.lanes)),
                 output_vectors =
                     tiles.family == Family::inputs ? as_double(seen.outputs) : as_double(tiles.lane_blocks) * vectors;
    const double staged =
        positions * groups * (input_vectors + output_vectors * as_double(x.axis.stride * y.kernel * z.kernel));

    const SummationOrder order = summation_order(geometry, sum_bytes(entry));
    const double sums = as_double(tiles.elements()) * groups / entry.lanes * as_double(order.runs());
    return Estimate{steps * step, sums * cycles_of_addition, staged * copy};
}

extern const SumsRules products_sums{
    Sums::products,
    "products",
    never_pays,
    no_obstacle,
    cut_nothing,
    cut_width,
    1,      // output of a row
    false,  // no blocks of products of taps
    one_set_of_panels,
    nullptr,
    nullptr,
    nullptr,  // estimate_products() is the model of cost
    nullptr,
};

}  // namespace unstride
