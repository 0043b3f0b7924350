#ifndef UNSTRIDE_RUNTIME_ARRAY_SCAN_H
#define UNSTRIDE_RUNTIME_ARRAY_SCAN_H

#include <vector>

#include "array/array.h"

namespace unstride {

// Return whether all numbers are moderate, which is at most 2^50 in magnitude and not NaN. Then sums and differences of
// them, and products of those, are finite. Kernels of family winograd need that, as they subtract numbers that others
// do not: infinity minus infinity would be NaN there. The second one looks at an array in the memory of the process.
bool are_moderate(const std::vector<float> &numbers);
bool are_moderate(const Array &array, int threads);

}  // namespace unstride

#endif
