#include "kernels/fold.h"

#include <algorithm>

#include "problem/checked.h"

namespace unstride {
namespace {

// Of rows of 64 positions even the widest tiles (catalog.txt) are full, or half full; with 64 rows there is work for
// many threads.
constexpr int64_t least_inputs = 64, most_rows = 64;

bool is_one_row(const Geometry &geometry) {
    return std::all_of(geometry.extent.begin(), geometry.extent.begin() + 2, [](const Extent &e) {
        return e.input == 1 && e.output == 1 && e.kernel == 1 && e.axis.padding == 0;
    });
}

// Some columns of a row, or several rows that lie so many apart.
Geometry part_of_row(Geometry geometry, int64_t rows, int64_t inputs, int64_t outputs, int64_t padding) {
    geometry.extent[1] = {rows, rows, 1, {1, 1, 1, 0, 0}};
    Extent &x = geometry.extent[2];
    x.input = inputs;
    x.output = outputs;
    x.axis.padding = padding;
    return geometry;
}

Geometry rows_of(const Geometry &geometry, const Fold &fold) {
    const Axis<int64_t> &axis = geometry.extent[2].axis;
    return part_of_row(geometry, fold.last - fold.first, fold.before + fold.inputs + fold.after,
                       fold.inputs * axis.stride, axis.padding + fold.before * axis.stride);
}

}  // namespace

Fold fold_of(const Geometry &geometry, const Variant &variant) {
    const Extent &x = geometry.extent[2];
    const int64_t stride = x.axis.stride, padding = x.axis.padding;
    if (!is_one_row(geometry) || variant.device != Device::cpu ||
        variant.layer) {  // a kernel for one layer knows its padding
        return {};
    }
    const int64_t before = divide_up(std::max<int64_t>((x.kernel - 1) * x.axis.dilation - padding, 0), stride),
                  after = divide_up(std::max<int64_t>(padding, 0), stride);
    // What is read twice stays an eighth.
    const int64_t inputs =
        divide_up(std::max({x.input / most_rows, least_inputs, 8 * (before + after)}), least_inputs) * least_inputs;
    int64_t last = std::min((x.input - after) / inputs, x.output / (inputs * stride));
    if (last * inputs - before >= x.input) {
        last--;  // so that the rest has an input
    }
    return {inputs, before, after, divide_up(before, inputs), last};
}

Geometry folded(const Geometry &geometry, const Variant &variant) {
    const Fold fold = fold_of(geometry, variant);
    return fold.folds() ? rows_of(geometry, fold) : geometry;
}

std::vector<Piece> pieces_of(const Geometry &geometry, const Variant &variant) {
    const Fold fold = fold_of(geometry, variant);
    if (!fold.folds()) {
        return {{geometry, 0, 0, 0, 0}};
    }
    const Extent &x = geometry.extent[2];
    const int64_t stride = x.axis.stride, padding = x.axis.padding, outputs = fold.inputs * stride;
    const int64_t first_input = fold.first * fold.inputs, last_input = fold.last * fold.inputs - fold.before,
                  last_output = fold.last * outputs;
    std::vector<Piece> pieces = {
        {rows_of(geometry, fold), first_input - fold.before, fold.inputs, fold.first * outputs, outputs}};
    if (fold.first > 0) {
        pieces.push_back(
            {part_of_row(geometry, 1, first_input + fold.after, fold.first * outputs, padding), 0, 0, 0, 0});
    }
    if (last_output < x.output) {
        pieces.push_back(
            {part_of_row(geometry, 1, x.input - last_input, x.output - last_output, padding + fold.before * stride),
             last_input, 0, last_output, 0});
    }
    return pieces;
}

}  // namespace unstride
