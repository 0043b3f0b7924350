#ifndef UNSTRIDE_RUNTIME_KERNELS_WINOGRAD_H
#define UNSTRIDE_RUNTIME_KERNELS_WINOGRAD_H

#include <vector>

#include "problem/geometry.h"

namespace unstride {

// What Winograd kernels need beside what all do. generators/minimal_filter.h has their arithmetic.

// Why minimal filters along depth and height cannot compute a layer; empty if they can.
std::string no_minimal_filters(const ConvTranspose3dOptions &options);

// The weights of one phase of depth and height, given by its first taps there: from a kernel of [depth][height][width],
// that of the products, [depth products][height products][width], for each of `filters`. Of floats or doubles.
template<typename T>
std::vector<T> transform_weights(const Geometry &geometry, int64_t first_tap_z, int64_t first_tap_y,
                                 const std::vector<T> &weight, int64_t filters);

}  // namespace unstride

#endif
