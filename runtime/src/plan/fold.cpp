#include "plan/fold.h"

#include <algorithm>

#include "plan/skip.h"
#include "problem/checked.h"
#include "problem/problem.h"

namespace unstride {
namespace {

// A folded row has at least 64 inputs of its own, which fill even the widest tiles of catalog.txt, or half of them. 64
// rows are work enough for many threads, so that a row is not cut into more.
constexpr int64_t least_inputs = 64, most_rows = 64;

// Values of FoldedPiece::is_whole.
constexpr bool whole_layer = true, some_columns = false;

bool is_one_row(const Geometry &geometry) {
    return std::all_of(geometry.extent.begin(), geometry.extent.begin() + 2, [](const Extent &e) {
        return e.input == 1 && e.output == 1 && e.kernel == 1 && e.axis.padding == 0;
    });
}

// Returns `geometry`, a layer of one row, as a layer of `rows` rows that do not depend on each other, each of which has
// `inputs` and `outputs` columns and begins with this padding.
Geometry part_of_row(Geometry geometry, int64_t rows, int64_t inputs, int64_t outputs, int64_t padding) {
    geometry.extent[1] = {rows, rows, 1, {1, 1, 1, 0, 0}};
    Extent &x = geometry.extent[2];
    x.input = inputs;
    x.output = outputs;
    x.axis.padding = padding;
    return geometry;
}

bool is_reversed(const Variant &variant) {
    return variant.op == Operator::input_gradient;
}

// The input gradient: row r of the cut has the `inputs` outputs that begin at r * inputs, and reads the inputs that
// begin at r * inputs * stride - padding, as many as reads() says.
int64_t reads(const Extent &x, int64_t outputs) {
    return (outputs - 1) * x.axis.stride + x.axis.dilation * (x.kernel - 1) + 1;
}

Fold reversed_fold(const Extent &x) {
    const int64_t stride = x.axis.stride, padding = x.axis.padding, shared = x.axis.dilation * (x.kernel - 1);
    const int64_t outputs =
        divide_up(std::max({x.output / most_rows, least_inputs, 8 * (shared / stride)}), least_inputs) * least_inputs;
    const int64_t last_read = divide_down(x.input - reads(x, outputs) + padding, outputs * stride);
    return {outputs, 0, 0, divide_up(std::max<int64_t>(padding, 0), outputs * stride),
            std::min(x.output / outputs, last_read + 1)};
}

// Returns the piece of the input gradient that computes `outputs` columns from number `first` on, in one row.
FoldedPiece some_outputs(const Geometry &geometry, int64_t first, int64_t outputs) {
    const Extent &x = geometry.extent[2];
    const int64_t read = first * x.axis.stride - x.axis.padding;
    // At least one input, even where none is read.
    const int64_t begin = std::clamp<int64_t>(read, 0, x.input - 1),
                  end = std::clamp<int64_t>(read + reads(x, outputs), begin + 1, x.input);
    return {part_of_row(geometry, 1, end - begin, outputs, begin - read), some_columns, {begin, 0, 1}, {first, 0, 1}};
}

std::vector<FoldedPiece> reversed_pieces(const Geometry &geometry, const Fold &fold, const Geometry &rows) {
    const Extent &x = geometry.extent[2];
    const int64_t first_output = fold.first * fold.inputs, last_output = fold.last * fold.inputs;
    std::vector<FoldedPiece> pieces = {
        {rows,
         some_columns,
         {first_output * x.axis.stride - x.axis.padding, fold.inputs * x.axis.stride, fold.last - fold.first},
         {first_output, fold.inputs, fold.last - fold.first}}};
    if (first_output > 0) {
        pieces.push_back(some_outputs(geometry, 0, first_output));
    }
    if (last_output < x.output) {
        pieces.push_back(some_outputs(geometry, last_output, x.output - last_output));
    }
    return pieces;
}

Geometry rows_of(const Geometry &geometry, const Fold &fold, const Variant &variant) {
    const Axis<int64_t> &axis = geometry.extent[2].axis;
    if (is_reversed(variant)) {
        return part_of_row(geometry, fold.last - fold.first, reads(geometry.extent[2], fold.inputs), fold.inputs, 0);
    }
    return part_of_row(geometry, fold.last - fold.first, fold.before + fold.inputs + fold.after,
                       fold.inputs * axis.stride, axis.padding + fold.before * axis.stride);
}

}  // namespace

Fold fold_of(const Geometry &geometry, const Variant &variant) {
    const Extent &x = geometry.extent[2];
    const int64_t stride = x.axis.stride, padding = x.axis.padding;
    const bool knows_its_layer = variant.layer != nullptr || variant.known_kernel != 0;
    if (sums_over_positions(variant.op) || !is_one_row(geometry) || variant.device != Device::cpu || knows_its_layer) {
        return {};
    }
    if (is_reversed(variant)) {
        return reversed_fold(x);
    }
    const int64_t before = divide_up(std::max<int64_t>((x.kernel - 1) * x.axis.dilation - padding, 0), stride),
                  after = divide_up(std::max<int64_t>(padding, 0), stride);
    // A row has eight times as many inputs of its own as it reads beside them, so that little is read twice.
    const int64_t inputs =
        divide_up(std::max({x.input / most_rows, least_inputs, 8 * (before + after)}), least_inputs) * least_inputs;
    int64_t last = std::min((x.input - after) / inputs, x.output / (inputs * stride));
    if (last * inputs - before >= x.input) {
        last--;  // so that the piece behind the rows has at least one input
    }
    return {inputs, before, after, divide_up(before, inputs), last};
}

Geometry folded(const Geometry &geometry, const Variant &variant) {
    const Fold fold = fold_of(geometry, variant);
    return fold.folds() ? rows_of(geometry, fold, variant) : without_skipped(geometry, variant).geometry;
}

std::vector<FoldedPiece> pieces_of(const Geometry &geometry, const Variant &variant) {
    const Fold fold = fold_of(geometry, variant);
    if (!fold.folds()) {
        const Read whole = without_skipped(geometry, variant);
        return {{whole.geometry, whole_layer, {}, {}, whole.input}};
    }
    if (is_reversed(variant)) {
        return reversed_pieces(geometry, fold, rows_of(geometry, fold, variant));
    }
    const Extent &x = geometry.extent[2];
    const int64_t stride = x.axis.stride, padding = x.axis.padding, outputs = fold.inputs * stride;
    const int64_t rows = fold.last - fold.first, first_input = fold.first * fold.inputs,
                  last_input = fold.last * fold.inputs - fold.before, last_output = fold.last * outputs;
    std::vector<FoldedPiece> pieces = {{rows_of(geometry, fold, variant),
                                        some_columns,
                                        {first_input - fold.before, fold.inputs, rows},
                                        {fold.first * outputs, outputs, rows}}};
    if (fold.first > 0) {
        pieces.push_back({part_of_row(geometry, 1, first_input + fold.after, fold.first * outputs, padding),
                          some_columns,
                          {0, 0, 1},
                          {0, 0, 1}});
    }
    if (last_output < x.output) {
        pieces.push_back(
            {part_of_row(geometry, 1, x.input - last_input, x.output - last_output, padding + fold.before * stride),
             some_columns,
             {last_input, 0, 1},
             {last_output, 0, 1}});
    }
    return pieces;
}

}  // namespace unstride
