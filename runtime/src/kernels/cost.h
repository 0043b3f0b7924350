#ifndef UNSTRIDE_RUNTIME_KERNELS_COST_H
#define UNSTRIDE_RUNTIME_KERNELS_COST_H

#include <cstdint>

#include "problem/geometry.h"
#include "unstride/machine.h"

namespace unstride {

struct Entry;

// How much of a layer one parallel task computes: output rows of a slice, slices, items of the batch, and blocks of
// output channels. The blocks of one task share the input that it stages: it copies the input to scratch memory once,
// in the order in which it reads it. A row or a slice stands for as many outputs as SumsRules::outputs_of_row tells.
// Kernels that sum directly, by taps or by pairs compute one slice of one item in a task.
struct Split {
    int64_t rows, slices, items, blocks;
    int64_t tasks = 0;         // number of tasks in all calls together
    bool share_items = false;  // true: items and groups are shared out among threads; false: the tasks of each are
};

// The time that a kernel is expected to spend on a layer, in cycles, summed over all threads. A core is taken to issue
// two FMAs, two loads and one store a cycle, and an FMA to have its result after 4 cycles. The figures need not be
// exact, as they only have to put kernels in the right order.
struct Estimate {
    double multiply_adds, stores, staging;

    double total() const {
        return multiply_adds + stores + staging;
    }
};

// What the planner asks about the kernels of one way of summing. `geometry` has only the output channels that the
// kernel is to compute, and its long rows are folded already (plan/fold.h). The threads of the machine share the work.
// For a kernel of a GPU these are the GPU's processors, and nothing else of the machine matters.
struct CostModel {
    // Returns the expected time with this split.
    Estimate (*estimate)(const Entry &entry, const Geometry &geometry, const Split &split, const Machine &machine);

    // Returns the split of least estimated time. A task has at most `rows` rows, or any number if this is 0.
    Split (*split)(const Entry &entry, const Geometry &geometry, int64_t rows, const Machine &machine);

    // Returns how many elements of scratch memory, each as large as a sum, a thread takes at most.
    int64_t (*scratch_elements)(const Entry &entry, const Geometry &geometry, const Split &split);
};

// The model of direct sums and of pairs on a CPU, and the one of all kernels of GPUs. Other models are known only in
// the file of their way of summing.
extern const CostModel direct_cost, gpu_cost;

// The functions below are terms that several models have in common.

inline double as_double(int64_t value) {
    return static_cast<double>(value);
}

// Returns the cycles of one step of a tile's inner loop, which makes `loads` loads and multiplies each of `vectors`
// vectors by each of `sharing` numbers. Two multiply-adds and two loads are issued a cycle. A step takes at least the
// latency of a multiply-add, as the next step adds to its sums.
double cycles_of_step(double vectors, double sharing, double loads);

// Returns whether a tile's vectors lie across channels while neighbours in memory are columns, as in ncdhw. Then what a
// tile loads and stores is transposed on the way.
bool is_turned(const Entry &entry);

// Returns the bytes of a sum, which are also those of a packed weight and of a staged element of input.
int64_t sum_bytes(const Entry &entry);

// Returns how many blocks the output channels of a group make, the last of which may be filled only in part.
int64_t blocks(const Entry &entry, const Geometry &geometry);

// Returns how many taps a phase of a dimension has on average.
double taps(const Extent &e);

// Returns how many tiles of `columns` columns one phase of an output row takes.
int64_t tiles_in_phase(int64_t columns, const Extent &x);

// Returns the columns of a slab, the padded input that a task stages: all columns of the input, and those beyond its
// ends that whole tiles of `columns` columns read.
int64_t slab_width(int64_t columns, const Extent &x);

// Returns how many channels a slab has room for if a layer has `inputs` of them. Channels that are transposed are
// rounded up to what fills a cache line.
int64_t staged_channels(const Entry &entry, int64_t inputs);

// Returns how many elements of scratch memory it takes, beside the slab, to transpose `rows` input rows in blocks of
// four columns; 0 if nothing is transposed.
int64_t turned_elements(const Entry &entry, const Extent &x, int64_t rows);

// Returns how many input rows a task of `rows` output rows stages. These are some more than it needs: Halide works out
// the rows when it compiles a kernel, does not know which of a phase's taps is first, and adds the rows before it.
int64_t input_rows(const Extent &y, int64_t rows);

// Returns whether there are items and groups enough to keep all threads busy without more tasks for each.
bool has_many_items(const Entry &entry, const Geometry &geometry, const Machine &machine);

// Returns how many calls of a kernel the width is cut into. Each of them stages the input anew.
double calls_along_x(const Entry &entry, const Geometry &geometry);

// Returns the cycles that it takes to store a tile.
double cycles_of_store(const Entry &entry, const Geometry &geometry);

}  // namespace unstride

#endif
