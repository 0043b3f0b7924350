#ifndef UNSTRIDE_RUNTIME_KERNELS_COST_H
#define UNSTRIDE_RUNTIME_KERNELS_COST_H

#include <array>
#include <cstdint>

#include "device/microarchitectures.h"
#include "problem/geometry.h"
#include "unstride/machine.h"

namespace unstride {

struct Entry;

// How much of a layer one parallel task computes: output rows of a slice, slices, items of the batch, and blocks of
// output channels. The blocks of one task share the input that it stages: it copies the input to scratch memory once,
// in the order in which it reads it. A row or a slice stands for as many outputs as SumsRules::outputs_of_row tells.
// Kernels that sum directly, by taps or by pairs compute slices of one item in a task.
struct Split {
    int64_t rows, slices, items, blocks;
    int64_t tasks = 0;         // number of tasks in all calls together
    bool share_items = false;  // true: items and groups are shared out among threads; false: the tasks of each are

    // Of sums over positions, whose tasks have no rows, slices or items: blocks of what is not in lanes (ProductTiles),
    // as many blocks of lanes, and all calls of the kernel. Other kernels are called once for each combination of cuts.
    int64_t others = 1, calls = 0;
};

// The time that a kernel is expected to spend on a layer, in cycles, summed over all threads. What a core can do in a
// cycle is in device/microarchitectures.h; other costs are those of Zen 3. The figures need not be exact, as they only
// have to put kernels in the right order.
struct Estimate {
    double multiply_adds, stores, staging;

    double total() const {
        return multiply_adds + stores + staging;
    }

    Estimate times(double factor) const {
        return {multiply_adds * factor, stores * factor, staging * factor};
    }

    Estimate operator+(const Estimate &other) const {
        return {multiply_adds + other.multiply_adds, stores + other.stores, staging + other.staging};
    }

    // Returns the same for a core that takes other times for stores and staging than what was counted.
    Estimate weighted(const Microarchitecture &m) const {
        return {multiply_adds, stores * m.storing, staging * m.staging};
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

    // Returns how many more all threads take together; null if there are none.
    int64_t (*shared_elements)(const Entry &entry, const Geometry &geometry, const Split &split) = nullptr;

    // What the three terms of an Estimate are spent on, for users; null for those that a model does not have.
    std::array<const char *, 3> terms = {"the multiply-adds", "stores", "staging input rows"};
};

// The model of direct sums and of pairs on a CPU, and the one of all kernels of GPUs. Other models are known only in
// the file of their way of summing.
extern const CostModel direct_cost, gpu_cost;

// The model of kernels whose weights are stationary.
extern const CostModel stationary_cost;

// A member of models whose threads take no scratch.
int64_t no_scratch(const Entry &entry, const Geometry &geometry, const Split &split);

// Returns how many times as many multiplications direct sums take as minimal filters, where these can compute a layer
// and take less time; 1 where they do not.
double saved_by_minimal_filters(const Geometry &geometry);

// The functions below are terms that several models have in common.

// The cycles that it takes to stage an element of input that is transposed, or one that is gathered by itself.
inline constexpr double transposed = 1, gathered = 1.75;

inline double as_double(int64_t value) {
    return static_cast<double>(value);
}

// What a core can do with the vectors of a kernel. In kernels of pairs, a multiply-add is a dot product of pairs.
struct Core {
    const Microarchitecture &microarchitecture;
    VectorRates rates;
};

Core core_of(const Entry &entry, const Machine &machine);

// What one step of a tile's inner loop does.
struct Step {
    double multiply_adds, loads, broadcasts;
};

// Returns the cycles of a step: those of what it has most of. They are at least the latency of a multiply-add, as the
// next step adds to its sums.
double cycles_of_step(const Core &core, const Step &step);

// Returns how many loads an unaligned load of a vector counts as: one, and one more if it straddles two cache lines.
double unaligned_load(const Entry &entry);

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

// Returns how many columns of a slab have room for `columns` of them. Vectors along the width are cleared whole.
int64_t whole_vectors(const Entry &entry, int64_t columns);

// Returns the columns of a slab, the padded input that a task stages: all columns of the input, and those beyond its
// ends that whole tiles of `columns` columns read.
int64_t slab_width(const Entry &entry, int64_t columns, const Extent &x);

// Returns how many channels a slab has room for if a layer has `inputs` of them. Channels that are transposed are
// rounded up to what fills a cache line.
int64_t staged_channels(const Entry &entry, int64_t inputs);

// Returns how many elements of scratch memory it takes, beside the slab, to transpose `rows` input rows in blocks of
// four columns; 0 if nothing is transposed.
int64_t turned_elements(const Entry &entry, const Extent &x, int64_t rows);

// Returns how many rows or slices of the input `count` neighbouring ones of the output read, at most.
int64_t input_rows(const Extent &e, int64_t count);

// The same of the input gradient, which reads the layer's outputs where they lie: the columns of a slab, and the rows
// or slices that `count` neighbouring outputs of the kernel read.
int64_t reversed_slab_width(int64_t columns, const Extent &x);
int64_t reversed_inputs(const Extent &e, int64_t count);

// Returns whether there are items and groups enough to keep all threads busy without more tasks for each.
bool has_many_items(const Entry &entry, const Geometry &geometry, const Machine &machine);

// Returns how many calls of a kernel the width is cut into. Each of them stages the input anew.
double calls_along_x(const Entry &entry, const Geometry &geometry);

// Returns the cycles that it takes to load `loads` vectors, add them up where there are several, and store one.
double cycles_of_copy(const Core &core, int loads);

// Returns the cycles that it takes to store a tile.
double cycles_of_store(const Entry &entry, const Geometry &geometry, const Core &core);

}  // namespace unstride

#endif
