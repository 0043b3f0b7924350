#ifndef UNSTRIDE_RUNTIME_KERNELS_COST_MODEL_H
#define UNSTRIDE_RUNTIME_KERNELS_COST_MODEL_H

#include "kernels/estimate.h"

namespace unstride {

// What estimate.h answers, for the kernels of one algorithm.
struct CostModel {
    Estimate (*estimate)(const Entry &entry, const Geometry &geometry, const Split &split, const Machine &machine);
    Split (*split)(const Entry &entry, const Geometry &geometry, int64_t rows, const Machine &machine);
    int64_t (*scratch_elements)(const Entry &entry, const Geometry &geometry, const Split &split);
};
extern const CostModel winograd_cost, taps_cost, gpu_cost;

// Whether an algorithm is expected to take less time than direct sums: minimal filters where they save multiplications,
// products of all taps where there are too few output channels for a tile, pairs where there are channels enough to
// fill vectors. These depend on nothing but the layer and its input, so that rounding is the same in both layouts (with
// FMA), for any number of threads, and on any machine that has the kernels.
bool minimal_filters_pay(const Geometry &geometry);
bool taps_pay(const Geometry &geometry);
bool pairs_pay(const Geometry &geometry);

}  // namespace unstride

#endif
