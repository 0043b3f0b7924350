#ifndef UNSTRIDE_RUNTIME_PLAN_SKIP_H
#define UNSTRIDE_RUNTIME_PLAN_SKIP_H

#include <array>

#include "array/array.h"
#include "problem/geometry.h"
#include "unstride/variants.h"

namespace unstride {

// A layer as its kernels compute it, and what they take of its input: slices, rows and columns.
struct Read {
    Geometry geometry;
    std::array<Range, 3> input;
};

// Returns the layer without what a variant would skip. An input gradient with a kernel of size 1 along a dimension
// reads one of `stride` elements of the output's gradient there. What is left is a layer of stride 1, so that kernels
// need not stage the rest. In ncdhw, whose columns have to be dense, columns are not left out. For other operators, and
// on a GPU, where nothing is staged, the layer is returned as it is, and all of the input.
Read without_skipped(const Geometry &geometry, const Variant &variant);

}  // namespace unstride

#endif
