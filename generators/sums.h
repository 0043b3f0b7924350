#ifndef UNSTRIDE_GENERATORS_SUMS_H
#define UNSTRIDE_GENERATORS_SUMS_H

#include "kernel.h"
#include "stages.h"

namespace unstride {

// What the ways of summing share, of which each has a file.

// The input, as numbers of the type that sums have, or as pairs of them. In a depthwise kernel the last channel repeats
// where lanes of channels are not stored.
Halide::Func source_of(Kernel &kernel);

// Defines `slab` as whole rows and slices of the input, y and z being those of the input.
void stage_rows(Kernel &kernel, Stages &stages);

// The row or slice of the input that the j-th tap of output `o` reads, and the column that the j-th tap of an output at
// a position of a phase reads. Those of taps that exist are between the quotients for the last and the first tap, as an
// input i that output `o` reads by tap k has i * stride = o + padding - k * dilation. These quotients grow with `o`, so
// that bounds inference finds just the rows that a task reads.
Halide::Expr read_row(Kernel &kernel, int dimension, const Halide::Expr &o, const Halide::Expr &j);
Halide::Expr read_column(Kernel &kernel, const Halide::Expr &position, const Halide::Expr &phase,
                         const Halide::Expr &j);

// Defines the stages from `slab` to `sum` of the input gradient by minimal filters (winograd.cpp).
void sum_gradient_by_winograd(Kernel &kernel, Stages &stages);

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
