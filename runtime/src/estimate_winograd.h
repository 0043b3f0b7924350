#ifndef UNSTRIDE_RUNTIME_ESTIMATE_WINOGRAD_H
#define UNSTRIDE_RUNTIME_ESTIMATE_WINOGRAD_H

#include "estimate.h"

namespace unstride {

// Whether minimal filters are expected to take less time than direct sums. It depends on nothing but the layer and its input, so that
// rounding is the same in both layouts, for any number of threads, and on any machine with kernels of both kinds.
bool minimal_filters_pay(const Geometry &geometry);

// The same as in estimate.h, for Winograd kernels.
Estimate estimate_winograd(const Entry &entry, const Geometry &geometry, const Split &split);
Split split_winograd(const Entry &entry, const Geometry &geometry, int64_t rows, int threads);
int64_t scratch_floats_winograd(const Entry &entry, const Geometry &geometry, const Split &split);

}  // namespace unstride

#endif
