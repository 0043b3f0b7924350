#ifndef UNSTRIDE_GENERATORS_SUMS_H
#define UNSTRIDE_GENERATORS_SUMS_H

#include "kernel.h"
#include "stages.h"

namespace unstride {

// What the ways of summing share, of which each has a file.

// Defines `slab` as sums of rows read it: all rows of the slices that the taps along z read.
void stage_rows(Kernel &kernel, Stages &stages, const Axis<Halide::Expr> &Z);

// An index that the conditions of a sum keep within an extent. Bounds inference does not see that by itself.
inline Halide::Expr within(const Halide::Expr &index, const Halide::Expr &extent) {
    return unsafe_promise_clamped(index, 0, extent - 1);
}

}  // namespace unstride

#endif
