#ifndef UNSTRIDE_GENERATORS_SUMS_H
#define UNSTRIDE_GENERATORS_SUMS_H

#include "kernel.h"
#include "stages.h"

namespace unstride {

// What the ways of summing share, of which each has a file.

// The input, as numbers of the type that sums have, or as pairs of them. In a depthwise kernel the last channel repeats
// where lanes of channels are not stored.
Halide::Func source_of(Kernel &kernel);

// Defines `slab` as sums of rows read it: all rows of the slices that the taps along z read. `slice_of_tap` is the
// slice that tap jz of slice z of the output reads.
void stage_rows(Kernel &kernel, Stages &stages, const Halide::Expr &slice_of_tap);

// Defines `slab` on a GPU, which has nothing staged: the input that taps jx, jy and jz of an output read, or zero left
// and right of it. All that it is asked for are variables of loops, so that bounds inference knows it to be one
// element.
void read_in_place(Kernel &kernel, Stages &stages, const Halide::Expr &ix, const Halide::Expr &iy,
                   const Halide::Expr &iz);

// An index that the conditions of a sum keep within an extent. Bounds inference does not see that by itself.
inline Halide::Expr within(const Halide::Expr &index, const Halide::Expr &extent) {
    return unsafe_promise_clamped(index, 0, extent - 1);
}

}  // namespace unstride

#endif
