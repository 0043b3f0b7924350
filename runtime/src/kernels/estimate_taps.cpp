#include <algorithm>

#include "device/machine.h"
#include "kernels/cost_model.h"
#include "kernels/tiles.h"

namespace unstride {
namespace {

// Products of a position.
int64_t products(const Geometry &geometry) {
    return product({geometry.channels.outputs, geometry.extent[1].kernel, geometry.extent[2].kernel});
}

Estimate estimate(const Entry &entry, const Geometry &geometry, const Split &split, const Machine & /*machine*/) {
    const Variant &v = entry.variant;
    const auto &[z, y, x] = geometry.extent;
    const bool across_taps = v.layout == Layout::ndhwc;
    const double m = as_double(across_taps ? v.block : v.columns) / entry.lanes, n = across_taps ? v.columns : v.block;
    const double step = std::max({m * n / 2, (m * (across_taps ? 1 : 1.5) + n) / 2, 4.0});

    const double slices = as_double(product({geometry.batch, geometry.channels.groups, z.output}));
    const double rows = as_double(divide_up(y.output, split.rows) * input_rows(y, split.rows));
    const double tiles =
        slices * rows * as_double(divide_up(x.input, v.columns) * divide_up(products(geometry), v.block));
    const double outputs = as_double(geometry.output_elements());
    const double store = m * n * (across_taps ? entry.lanes * 1.5 : 2);
    const double sums = outputs * (taps(y) * taps(x) * 2 / entry.lanes + 2);
    return {tiles * (as_double(geometry.channels.inputs) * taps(z) * step + 35), tiles * store + sums, 0};
}

// Elements that the products take which so many output rows read.
int64_t product_elements(const Entry &entry, const Geometry &geometry, int64_t rows) {
    const int64_t columns = 2 * entry.lanes;  // of a tile of sums
    return product({divide_up(products(geometry), entry.variant.block) * entry.variant.block,
                    slab_width(columns, geometry.extent[2]), input_rows(geometry.extent[1], rows)});
}

int64_t scratch_of(const Entry &entry, const Geometry &geometry, const Split &split) {
    const auto &[z, y, x] = geometry.extent;
    const int64_t staged = product({4, divide_up(x.input, entry.variant.columns) * entry.variant.columns,
                                    geometry.channels.inputs, z.axis.most_taps(z.kernel)});
    return add(product_elements(entry, geometry, split.rows), staged);
}

Split best_split(const Entry &entry, const Geometry &geometry, int64_t rows, const Machine &machine) {
    const int64_t height = geometry.extent[1].output,
                  slices = product({geometry.batch, geometry.channels.groups, geometry.extent[0].output});
    Split result{rows == 0 ? height : std::min(rows, height), 1, 1, geometry.channels.outputs, 0,
                 has_many_items(entry, geometry, machine)};
    // Many rows: each task computes all products of the rows at its ends, of which it reads some. What is staged for
    // them, four at a time, does not depend on how many there are.
    const auto too_large = [&] {
        return product_elements(entry, geometry, result.rows) * sum_bytes(entry.variant) > slab_limit(machine) ||
               result.rows > slices * height / (4 * machine.threads);
    };
    while (rows == 0 && result.rows > 1 && too_large()) {
        result.rows = (result.rows + 1) / 2;
    }
    result.tasks = slices * divide_up(height, result.rows);
    return result;
}

}  // namespace

const CostModel taps_cost{estimate, best_split, scratch_of};

bool taps_pay(const Geometry &geometry) {
    const Channels &channels = geometry.channels;
    return channels.outputs <= 4 && products(geometry) >= 8 &&
           as_double(channels.inputs) * taps(geometry.extent[0]) >= 32;
}

}  // namespace unstride
