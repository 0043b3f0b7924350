#ifndef UNSTRIDE_RUNTIME_PLAN_FOLD_H
#define UNSTRIDE_RUNTIME_PLAN_FOLD_H

#include <array>
#include <cstdint>
#include <vector>

#include "array/array.h"
#include "problem/geometry.h"
#include "unstride/variants.h"

namespace unstride {

// How the row of a layer of one dimension is cut into several rows. Kernels share out rows among threads, and would
// make a single task of one long row. Row r of the cut has the `inputs` * stride outputs that begin at r * inputs *
// stride. It reads the inputs that begin at r * inputs - before, some of which its neighbours read as well. For the
// input gradient, whose kernels' outputs are the layer's inputs, row r has the `inputs` outputs that begin at r *
// inputs.
struct Fold {
    int64_t inputs;         // inputs from the start of one row to the start of the next
    int64_t before, after;  // inputs that a row reads in front of its own ones, and behind them
    int64_t first, last;    // the rows from `first` to before `last` read only inputs that exist

    // Whether there are rows enough for the cut to be of use.
    bool folds() const {
        return last - first > 1;
    }
};

// Returns how the row of a layer is cut for a variant. folds() is false for layers with more than one row, for sums
// over positions, on a GPU, and for a kernel that knows its layer: its padding, or its stride along the height, which
// folded rows do not have.
Fold fold_of(const Geometry &geometry, const Variant &variant);

// Returns the layer of the folded rows, from `first` to before `last`, whose cost the planner estimates; or the whole
// layer without what the variant would skip (plan/skip.h) where nothing is folded.
Geometry folded(const Geometry &geometry, const Variant &variant);

// A part of a layer that is computed as a layer of its own.
struct FoldedPiece {
    Geometry geometry;
    bool is_whole;                   // the piece is the whole layer, and the next two ranges have no meaning
    Range input, output;             // the columns of the layer's only row at which the rows of the piece begin
    std::array<Range, 3> read = {};  // the slices, rows and columns that are read if the piece is the whole layer
};

// Returns the pieces that are computed one after the other: the whole layer; or its folded rows, then the columns
// before them and behind them, if there are any.
std::vector<FoldedPiece> pieces_of(const Geometry &geometry, const Variant &variant);

}  // namespace unstride

#endif
