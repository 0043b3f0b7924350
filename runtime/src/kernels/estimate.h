#ifndef UNSTRIDE_RUNTIME_KERNELS_ESTIMATE_H
#define UNSTRIDE_RUNTIME_KERNELS_ESTIMATE_H

#include "kernels/catalog.h"
#include "problem/geometry.h"
#include "unstride/machine.h"

namespace unstride {

// How much of a layer one parallel task computes: output rows of a slice, slices, items of the batch, and blocks of
// output channels that share the input staged for these. To a Winograd kernel, rows and slices are pairs of those of a
// phase; to others, slices and items are 1.
struct Split {
    int64_t rows, slices, items, blocks;
    int64_t tasks;     // that it makes, in all calls together
    bool share_items;  // whether threads share items and groups, not the tasks of each
};

// What a variant is expected to spend on a layer, in cycles of a core that issues two FMAs, two loads and one store a
// cycle, with a latency of 4 for the FMA. Only the order of the variants matters.
struct Estimate {
    double multiply_adds, stores, staging;

    double total() const {
        return multiply_adds + stores + staging;
    }
};

// On a machine whose threads share the work; to a kernel for a GPU they are its processors, and all else of the machine
// does not matter.
Estimate estimate(const Entry &entry, const Geometry &geometry, const Machine &machine);

// The split of least estimated time. `rows` is how many a task should have at most, or 0.
Split split(const Entry &entry, const Geometry &geometry, int64_t rows, const Machine &machine);

// Elements of scratch, each as large as a sum, that a thread takes at most.
int64_t scratch_elements(const Entry &entry, const Geometry &geometry, const Split &split);

}  // namespace unstride

#endif
