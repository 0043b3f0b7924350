#ifndef UNSTRIDE_RUNTIME_KERNELS_COST_H
#define UNSTRIDE_RUNTIME_KERNELS_COST_H

#include <cstdint>

#include "problem/geometry.h"
#include "unstride/machine.h"

namespace unstride {

struct Entry;

// How much of a layer one parallel task computes: output rows of a slice, slices, items of the batch, and blocks of
// output channels that share the input staged for these. What a row or a slice is here, SumsRules::outputs_of_row
// tells. Kernels that sum directly, by taps or by pairs compute one slice of one item in a task.
struct Split {
    int64_t rows, slices, items, blocks;
    int64_t tasks;     // that it makes, in all calls together
    bool share_items;  // whether threads share items and groups, not the tasks of each
};

// What a kernel is expected to spend on a layer, in cycles of a core that issues two FMAs, two loads and one store a
// cycle, with a latency of 4 for the FMA. Only the order of the kernels matters.
struct Estimate {
    double multiply_adds, stores, staging;

    double total() const {
        return multiply_adds + stores + staging;
    }
};

// What the planner asks of the kernels of one way of summing. The geometry has the output channels that the kernel is
// to compute, and the planner has folded long rows already. The threads of the machine share the work; to a kernel for
// a GPU they are its processors, and all else of the machine does not matter.
struct CostModel {
    Estimate (*estimate)(const Entry &entry, const Geometry &geometry, const Split &split, const Machine &machine);

    // The split of least estimated time. `rows` is how many a task should have at most, or 0.
    Split (*split)(const Entry &entry, const Geometry &geometry, int64_t rows, const Machine &machine);

    // Elements of scratch, each as large as a sum, that a thread takes at most.
    int64_t (*scratch_elements)(const Entry &entry, const Geometry &geometry, const Split &split);
};

// Direct sums and pairs share one model, and kernels for a GPU have one for all ways of summing.
extern const CostModel direct_cost, gpu_cost;

// The terms that several models count with follow.

inline double as_double(int64_t value) {
    return static_cast<double>(value);
}

// Cycles of one step of a tile's inner loop, which multiplies `vectors` loaded vectors by `sharing` numbers each: two
// multiply-adds and two loads are issued a cycle, and a step cannot be shorter than the latency of a multiply-add.
double cycles_of_step(double vectors, double sharing, double loads);

// Whether the vectors of a tile lie across channels, and those of the layout across columns, so that what a tile loads
// and stores is transposed on the way.
bool is_turned(const Entry &entry);

// Bytes of an element that is staged, of a packed weight or of a sum.
int64_t sum_bytes(const Entry &entry);

// Blocks of output channels of a group.
int64_t blocks(const Entry &entry, const Geometry &geometry);

// Taps of the average phase of a dimension.
double taps(const Extent &e);

// Tiles of so many columns that one phase of an output row takes.
int64_t tiles_in_phase(int64_t columns, const Extent &x);

// Columns of a slab: all of the input's, and what whole tiles reach beyond them on both sides.
int64_t slab_width(int64_t columns, const Extent &x);

// Channels that a slab has of so many: those that are transposed come by whole cache lines.
int64_t staged_channels(const Entry &entry, int64_t inputs);

// Elements beside the slab that it takes to transpose so many rows, in blocks of four columns.
int64_t turned_elements(const Entry &entry, const Extent &x, int64_t rows);

// Input rows that a task of so many output rows stages. Bounds inference does not know which of a phase's taps is
// first, and adds the rows before it.
int64_t input_rows(const Extent &y, int64_t rows);

// Whether items and groups are enough to keep all threads busy.
bool has_many_items(const Entry &entry, const Geometry &geometry, const Machine &machine);

// Calls of a kernel for an item, each of which stages its input.
double calls_along_x(const Entry &entry, const Geometry &geometry);

// Cycles that it takes to store a tile.
double cycles_of_store(const Entry &entry, const Geometry &geometry);

}  // namespace unstride

#endif
