#ifndef UNSTRIDE_RUNTIME_ESTIMATE_TAPS_H
#define UNSTRIDE_RUNTIME_ESTIMATE_TAPS_H

#include "estimate.h"

namespace unstride {

// Whether products of all taps along height and width, added up afterwards, are expected to take less time than sums for each output:
// where there are too few output channels for a tile. As minimal_filters_pay(), it depends on nothing but the layer.
bool taps_pay(const Geometry &geometry);

// The same as in estimate.h, for kernels of the family taps.
Estimate estimate_taps(const Entry &entry, const Geometry &geometry, const Split &split);
Split split_taps(const Entry &entry, const Geometry &geometry, int64_t rows, int threads);
int64_t scratch_floats_taps(const Entry &entry, const Geometry &geometry, const Split &split);

}  // namespace unstride

#endif
