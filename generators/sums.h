#ifndef UNSTRIDE_GENERATORS_SUMS_H
#define UNSTRIDE_GENERATORS_SUMS_H

#include "kernel.h"
#include "stages.h"

namespace unstride {

// The ways of summing (family.h), a file each. They define the stages from `slab` to `sum`, from `source`. What a
// kernel knows of its layer, they need not tell from what is passed: they ask the kernel.
void sum_directly(Kernel &kernel, Stages &stages);
void sum_by_winograd(Kernel &kernel, Stages &stages);
void sum_by_taps(Kernel &kernel, Stages &stages);

// Defines `slab` as sums of rows read it: all rows of the slices that the taps along z read.
void stage_rows(Kernel &kernel, Stages &stages, const Axis<Halide::Expr> &Z);

// An index that the conditions of a sum keep within an extent. Bounds inference does not see that by itself.
inline Halide::Expr within(const Halide::Expr &index, const Halide::Expr &extent) {
    return unsafe_promise_clamped(index, 0, extent - 1);
}

}  // namespace unstride

#endif
