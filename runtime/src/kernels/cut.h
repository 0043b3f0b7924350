#ifndef UNSTRIDE_RUNTIME_KERNELS_CUT_H
#define UNSTRIDE_RUNTIME_KERNELS_CUT_H

#include <cstdint>
#include <vector>

#include "array/array.h"
#include "problem/geometry.h"
#include "unstride/device.h"

namespace unstride {

// What one call of a kernel computes along one dimension. The call reads and writes the elements of these ranges, and
// is told that they are all elements of a layer with this kernel and axis.
struct Cut {
    Range input;   // columns, rows or slices that it reads
    Range output;  // those that it writes for the first of its phases; each further phase begins one element later
    int64_t phases;
    int64_t kernel;
    Axis<int64_t> axis;

    // The number of the set of weights that the call uses; 0 unless each phase of the dimension has a set of its own.
    int64_t weights;
};

// Returns a single cut that is all of a dimension. Depth and height are cut so for kernels that compute any layer.
std::vector<Cut> cut_nothing(const Extent &e);

// Returns a cut for each phase of depth or height, which makes a layer of stride 1 of the phase. Its kernel is that of
// a minimal filter, with one element more than the phase has taps. The number of its weights is that of its first tap.
std::vector<Cut> cut_into_phases(const Extent &e);

// Returns the cuts of the width: one, or two where the last phases are a column shorter than the first ones.
// `interleaved` is the stride whose phases a kernel interleaves, so that it computes all columns as one phase; it is 1
// for other kernels.
std::vector<Cut> cut_width(const Extent &x, int interleaved, Device device);

// Returns a single cut of the width for kernels of which all outputs have the same taps.
std::vector<Cut> one_phase(const Extent &x, int interleaved, Device device);

}  // namespace unstride

#endif
