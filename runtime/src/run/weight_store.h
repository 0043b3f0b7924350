#ifndef UNSTRIDE_RUNTIME_RUN_WEIGHT_STORE_H
#define UNSTRIDE_RUNTIME_RUN_WEIGHT_STORE_H

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/weight_gradient.h"
#include "unstride/operator.h"
#include "unstride/tensor.h"

namespace unstride {

// Blocks of tiles in one group: all taps of some blocks of lanes, and of one block of others.
struct TileBlocks {
    int64_t group;
    Range lanes;
    int64_t others;
};

// The sums of such blocks, which lie one after the other: at least one array, for each chunk, which are `stride`
// elements apart.
struct ChunksOfBlocks {
    const void *first;
    int64_t count, stride;
};

// Where the sums of tiles go: into a weight gradient.
class WeightStore {
public:
    // `gradient` has five dimensions, and outlives this, as the program does.
    WeightStore(const WeightGradientProgram &program, const Problem &problem, const View<void> &gradient,
                Update update);

    // Adds up the chunks of some blocks in order, and stores them, or adds them to what is there.
    void store(const TileBlocks &blocks, const ChunksOfBlocks &chunks) const;

private:
    template<typename Sum, typename T>
    void store_strip(const Sum *first, size_t lanes, const ChunksOfBlocks &chunks, T *to, int64_t lane_stride) const;

    const ProductTiles &tiles_;
    const Channels seen_;
    const View<void> &gradient_;
    const Update update_;
    std::vector<int64_t> places_, elements_;  // of each tap, in a tile's sums and in the gradient, from the first on
    bool dense_;                              // whether taps are neighbours in the gradient
    bool streams_;                            // whether weights that are neighbours go past the caches
};

}  // namespace unstride

#endif
