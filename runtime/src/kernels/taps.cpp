// Sums by taps, for layers with few output channels: a kernel first computes the products of an input with all taps
// along height and width, and then adds these products up to outputs.

#include <algorithm>

#include "device/machine.h"
#include "kernels/catalog.h"
#include "problem/checked.h"

namespace unstride {
namespace {

// Returns the number of taps along height and width.
int64_t taps_of_plane(const Geometry &geometry) {
    return product({geometry.extent[1].kernel, geometry.extent[2].kernel});
}

// Returns how many products are computed for each position of the input.
int64_t products(const Geometry &geometry) {
    return product({geometry.channels.outputs, taps_of_plane(geometry)});
}

// Returns whether sums by taps are expected to take less time than direct sums (SumsRules::pays). They do only where
// there are too few output channels to fill a tile.
bool taps_pay(const Geometry &geometry) {
    const Channels &channels = geometry.channels;
    return channels.outputs <= 4 && products(geometry) >= 8 &&
           as_double(channels.inputs) * taps(geometry.extent[0]) >= 32;
}

Estimate estimate_taps(const Entry &entry, const Geometry &geometry, const Split &split, const Machine &machine) {
    const Variant &v = entry.variant;
    const auto &[z, y, x] = geometry.extent;
    const bool across_taps = entry.across == Lanes::taps;
    const double m = as_double(across_taps ? v.block : v.columns) / entry.lanes, n = across_taps ? v.columns : v.block;
    const Core core = core_of(entry, machine);
    const double step = cycles_of_step(core, {m * n, m * (across_taps ? 1 : unaligned_load(entry)), n});

    const double slices = as_double(product({geometry.batch, geometry.channels.groups, z.output}));
    const double rows = as_double(divide_up(y.output, split.rows) * input_rows(y, split.rows));
    const double tiles =
        slices * rows * as_double(divide_up(x.input, v.columns) * divide_up(products(geometry), v.block));
    const double outputs = as_double(geometry.output_elements());
    const double store = m * n * (across_taps ? entry.lanes * 1.5 : 1 + 1 / core.rates.stores);
    const double sums = outputs * (taps(y) * taps(x) * 4 / core.rates.multiply_adds / entry.lanes + 2);
    const Estimate counted{tiles * (as_double(geometry.channels.inputs) * taps(z) * step + 35), tiles * store + sums,
                           0};
    return counted.weighted(core.microarchitecture);
}

// Returns how many elements of scratch memory the products take that `rows` output rows read.
int64_t product_elements(const Entry &entry, const Geometry &geometry, int64_t rows) {
    const int64_t columns = 2 * entry.lanes;  // columns of a tile of sums
    return product({divide_up(products(geometry), entry.variant.block) * entry.variant.block,
                    slab_width(columns, geometry.extent[2]), input_rows(geometry.extent[1], rows)});
}

int64_t scratch_of_taps(const Entry &entry, const Geometry &geometry, const Split &split) {
    const auto &[z, y, x] = geometry.extent;
    const int64_t staged = product({4, divide_up(x.input, entry.variant.columns) * entry.variant.columns,
                                    geometry.channels.inputs, z.axis.most_taps(z.kernel)});
    return add(product_elements(entry, geometry, split.rows), staged);
}

Split split_of_taps(const Entry &entry, const Geometry &geometry, int64_t rows, const Machine &machine) {
    const int64_t height = geometry.extent[1].output,
                  slices = product({geometry.batch, geometry.channels.groups, geometry.extent[0].output});
    Split result{rows == 0 ? height : std::min(rows, height), 1, 1, geometry.channels.outputs, 0,
                 has_many_items(entry, geometry, machine)};
    // Many rows are best, as each task computes all products of the rows at its ends, of which it reads some. What is
    // staged for them, four at a time, does not depend on how many there are.
    const auto too_large = [&] {
        return product_elements(entry, geometry, result.rows) * sum_bytes(entry) > slab_limit(machine) ||
               result.rows > slices * height / (int64_t{4} * machine.threads);
    };
    while (rows == 0 && result.rows > 1 && too_large()) {
        result.rows = (result.rows + 1) / 2;
    }
    result.tasks = slices * divide_up(height, result.rows);
    return result;
}

// Returns the contents of the only set of panels. A block has products in place of output channels, and there is a
// panel for each tap along the depth.
std::vector<PanelContents> panels_of_products(const Geometry &geometry, const Channels &seen) {
    return {{{seen.groups, seen.inputs, products(geometry)}, geometry.extent[0].kernel}};
}

// Returns the weights, which are [group][input channel][output channel][kz][ky][kx], with kz as the innermost
// dimension.
template<typename T>
std::vector<T> depth_innermost(const Geometry &geometry, const Weights<T> &weights, size_t /*set*/) {
    const auto &[groups, inputs, outputs] = geometry.channels;
    const int64_t depth = geometry.extent[0].kernel, plane = taps_of_plane(geometry), step = weights.strides.tap;
    std::vector<T> result;
    result.reserve(static_cast<size_t>(product({groups, inputs, outputs, depth, plane})));
    for (int64_t g = 0; g < groups; g++) {
        for (int64_t c = 0; c < inputs; c++) {
            for (int64_t o = 0; o < outputs; o++) {
                const T *filter = weights.filter(g, c, o);
                for (int64_t i = 0; i < plane * depth; i++) {
                    const int64_t tap = i / depth, kz = i % depth;
                    result.push_back(filter[(kz * plane + tap) * step]);
                }
            }
        }
    }
    return result;
}

constexpr CostModel taps_cost{estimate_taps, split_of_taps, scratch_of_taps};

}  // namespace

extern const SumsRules taps_sums{
    Sums::taps,
    "taps",
    taps_pay,
    no_obstacle,
    cut_nothing,
    cut_width,
    1,     // output of a row
    true,  // has blocks of products
    panels_of_products,
    depth_innermost<float>,
    depth_innermost<double>,
    &taps_cost,
    &gpu_cost,
};

}  // namespace unstride
