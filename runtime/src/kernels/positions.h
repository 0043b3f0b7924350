#ifndef UNSTRIDE_RUNTIME_KERNELS_POSITIONS_H
#define UNSTRIDE_RUNTIME_KERNELS_POSITIONS_H

#include <cstdint>

namespace unstride {

// How the positions of an array, all those of space in each item of the batch, are cut into chunks, whose sums are
// added afterwards. It depends on these numbers alone, and so do the bits of the result: not on the layout, the
// processor or the number of threads (docs/algorithm.md).
struct PositionChunks {
    int64_t steps, items;  // of a chunk; a step is as many positions as there are partial sums
    int64_t in_item;       // chunks that an item is cut into
    int64_t groups;        // groups of `items` items

    int64_t count() const {
        return in_item * groups;
    }
};

PositionChunks chunks_of(int64_t batch, int64_t positions);

}  // namespace unstride

#endif
