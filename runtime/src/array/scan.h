#ifndef UNSTRIDE_RUNTIME_ARRAY_SCAN_H
#define UNSTRIDE_RUNTIME_ARRAY_SCAN_H

#include <vector>

#include "array/volume.h"
#include "problem/geometry.h"

namespace unstride {

// Whether sums and differences of these numbers, and products of those, are finite: below 2^50 in magnitude, and no
// NaN. Others are left to direct kernels: infinity minus infinity is NaN.
bool are_moderate(const std::vector<float> &numbers);
bool are_moderate(const Volume &input, const Geometry &geometry, int threads);

}  // namespace unstride

#endif
