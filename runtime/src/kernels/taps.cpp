// Sums by taps, for layers with few output channels: a kernel first computes the products of an input with all taps
// along height and width, and then adds these products up to outputs.

#include <algorithm>

#include "device/machine.h"
#include "kernels/boxes.h"
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

    const double pieces =
        as_double(product({geometry.batch, geometry.channels.groups, divide_up(y.output, split.rows)}));
    const int64_t rows = input_rows(y, split.rows);
    const double tiles = pieces * as_double(z.output * rows) *
                         as_double(divide_up(x.input, v.columns) * divide_up(products(geometry), v.block));
    const double outputs = as_double(geometry.output_elements());
    const double store = m * n * (across_taps ? entry.lanes * 1.5 : 1 + 1 / core.rates.stores);
    const double sums = outputs * (taps(y) * taps(x) * 4 / core.rates.multiply_adds / entry.lanes + 2);
    const double staged = pieces * as_double(divide_up(z.output, split.slices)) *
                          as_double(product({rows, input_rows(z, split.slices), geometry.channels.inputs, x.input}));
    const Estimate counted{tiles * (as_double(geometry.channels.inputs) * taps(z) * step + 35), tiles * store + sums,
                           staged * cycles_of_copy(core, 1) / entry.lanes};
    return counted.weighted(core.microarchitecture);
}

// Returns how many elements of scratch memory the products take that the outputs of a task read.
int64_t product_elements(const Entry &entry, const Geometry &geometry, const Split &split) {
    const int64_t columns = 2 * entry.lanes;  // columns of a tile of sums
    return product({divide_up(products(geometry), entry.variant.block) * entry.variant.block,
                    slab_width(entry, columns, geometry.extent[2]), input_rows(geometry.extent[1], split.rows),
                    split.slices});
}

// Returns how many elements of scratch memory the input takes of which these are the products. It is staged four rows
// at a time.
int64_t staged_elements(const Entry &entry, const Geometry &geometry, const Split &split) {
    const auto &[z, y, x] = geometry.extent;
    return product({4, whole_vectors(entry, divide_up(x.input, entry.variant.columns) * entry.variant.columns),
                    geometry.channels.inputs, input_rows(z, split.slices)});
}

int64_t scratch_of_taps(const Entry &entry, const Geometry &geometry, const Split &split) {
    return add(product_elements(entry, geometry, split), staged_elements(entry, geometry, split));
}

// Many rows are best, as each task computes all products of the rows at its ends, of which it reads some; and many
// slices, which share the input that is staged for them, as long as this stays in the L2 cache. Products, which are
// written and read once, have to stay not far from it.
Split split_of_taps(const Entry &entry, const Geometry &geometry, int64_t rows, const Machine &machine) {
    constexpr int64_t tasks_of_thread = 4, caches_of_products = 4;
    const int64_t height = geometry.extent[1].output, depth = geometry.extent[0].output,
                  limit = slab_limit(machine) / sum_bytes(entry);
    const bool share_items = has_many_items(entry, geometry, machine);
    const auto split = [&](const TaskBox &box) {
        return Split{box.rows,
                     box.slices,
                     1,
                     geometry.channels.outputs,
                     product({geometry.batch, geometry.channels.groups, divide_up(depth, box.slices),
                              divide_up(height, box.rows)}),
                     share_items};
    };
    const auto fits = [&](const TaskBox &box) {
        return (box.slices == 1 || staged_elements(entry, geometry, split(box)) <= limit) &&
               product_elements(entry, geometry, split(box)) <= caches_of_products * limit &&
               split(box).tasks >= tasks_of_thread * machine.threads;
    };
    const auto cost = [&](const TaskBox &box) { return estimate_taps(entry, geometry, split(box), machine).total(); };
    return split(best_box({height, depth}, rows, fits, cost));
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
    {depth_innermost<float>},
    {depth_innermost<double>},
    &taps_cost,
    &gpu_cost,
};

}  // namespace unstride
