#ifndef UNSTRIDE_RUNTIME_PLAN_FOLD_H
#define UNSTRIDE_RUNTIME_PLAN_FOLD_H

#include <cstdint>
#include <vector>

#include "array/array.h"
#include "problem/geometry.h"
#include "unstride/variants.h"

namespace unstride {

// Layers of one dimension have one long row, of which kernels would make a single task. It is computed as several: row
// r has the outputs from r * inputs * stride on, and reads the inputs from r * inputs - before on, some of which
// neighbours read as well.
struct Fold {
    int64_t inputs;         // from one row to the next
    int64_t before, after;  // read beside them
    int64_t first, last;    // rows that read only inputs that exist: from `first` to before `last`

    bool folds() const {
        return last - first > 1;
    }
};

Fold fold_of(const Geometry &geometry, const Variant &variant);

// The rows from `first` to before `last` as a layer, for the planner; others come as they are.
Geometry folded(const Geometry &geometry, const Variant &variant);

// What is computed one after the other, as layers of their own: the whole layer, or its folded rows and what is before
// and behind them. The rows of input and output begin at these columns.
struct FoldedPiece {
    Geometry geometry;
    bool is_whole;
    Range input, output;
};
std::vector<FoldedPiece> pieces_of(const Geometry &geometry, const Variant &variant);

}  // namespace unstride

#endif
