#ifndef UNSTRIDE_RUNTIME_KERNELS_CUT_H
#define UNSTRIDE_RUNTIME_KERNELS_CUT_H

#include <cstdint>
#include <vector>

#include "array/array.h"
#include "problem/geometry.h"
#include "unstride/device.h"

namespace unstride {

// What one call of a kernel computes of a dimension: it reads and writes these elements, and is told that they are
// those of a layer with this kernel and axis.
struct Cut {
    Range input;   // columns, rows or slices that it reads
    Range output;  // those that it writes, of one phase if it computes several, each from one element further on
    int64_t phases;
    int64_t kernel;
    Axis<int64_t> axis;
    int64_t
        weights;  // where phases have weights of their own, the number of these among those of the dimension; else 0
};

// One call for all of a dimension, as depth and height have it where a kernel computes any layer.
std::vector<Cut> cut_nothing(const Extent &e);

// One call for each phase of depth or height, which is the layer of stride 1 that the phase is. Its kernel is that of a
// minimal filter: one more than the phase has taps. Its weights have the number of its first tap.
std::vector<Cut> cut_into_phases(const Extent &e);

// The width is computed in one call, or in two where the last phases are a column shorter. A kernel that interleaves
// the phases of one stride, `interleaved`, computes all columns as one phase; others have 1 there.
std::vector<Cut> cut_width(const Extent &x, int interleaved, Device device);

}  // namespace unstride

#endif
