#ifndef UNSTRIDE_RUNTIME_KERNELS_WEIGHT_GRADIENT_H
#define UNSTRIDE_RUNTIME_KERNELS_WEIGHT_GRADIENT_H

#include <array>
#include <cstdint>

#include "array/array.h"
#include "kernels/catalog.h"
#include "kernels/cost.h"
#include "problem/geometry.h"

namespace unstride {

// A box of input positions, by item, slice, row and column.
using Box = std::array<Range, 4>;

// The order in which a weight gradient adds up its products over the positions of the input. Runs are boxes of some 200
// to 500 positions, if there are so many. A kernel sums up a run in registers, position by position in the order of
// column, row, slice and item, and then adds the sum to the array of the run's chunk. Chunks are as many runs in a row,
// and their arrays are added up in order.
//
// With runs of L positions, R runs and T chunks, at most L + R / T + T of the additions that lead to a weight follow
// each other, so that its error is at most (L + R / T + T) * u * the sum of |products|, and u is 2^-24 for f32.
struct SummationOrder {
    std::array<int64_t, 4> extents;  // of the input: items, slices, rows, columns
    std::array<int64_t, 4> run;      // the same of a run; the last run along a dimension may be smaller
    int64_t chunks;                  // at least 1, which has no runs if there are no positions

    int64_t runs() const;
    Box box(int64_t run) const;
    Range runs_of(int64_t chunk) const;
};

// Returns the order for a layer and its input, on which alone it depends: neither kernel, layout nor threads change
// bits. `sum_bytes` is the size of a sum. Chunks' arrays have 16 MiB at most, unless a single one is larger.
SummationOrder summation_order(const Geometry &geometry, int64_t sum_bytes);

// The outputs along one dimension that any tap meets for a range of inputs, and the padding with which a layer of these
// inputs and outputs alone has the same meetings. The count is not positive if there are none.
struct Meeting {
    Range outputs;
    int64_t padding;
};
Meeting meeting_of(const Extent &extent, const Range &inputs);

// The register tiles of a kernel that the weights of a group take, in the order of generators/weight_gradient.cpp, and
// where a weight is among them.
struct ProductTiles {
    Family family;
    int64_t lanes, others;        // of a tile
    std::array<int64_t, 3> taps;  // along x, of which there may be whole blocks, y and z
    int64_t lane_blocks, other_blocks;

    int64_t block_elements() const {  // of all taps of a block of lanes and a block of others
        return lanes * others * taps[0] * taps[1] * taps[2];
    }
    int64_t elements() const {
        return block_elements() * lane_blocks * other_blocks;
    }
    // The place of a tap along x, relative to the first one, and how far apart taps along y are.
    int64_t place_of_tap_x(int64_t kx) const;
    int64_t tap_y_stride() const {
        return lanes * others * taps[0];
    }
};

// `seen` are the channels as the kernel sees them.
ProductTiles product_tiles(const Entry &entry, const Channels &seen, const Geometry &geometry);

// How a weight gradient is computed. A task sums up one chunk for some of the weights of a group, its share:
// `lane_share` blocks of the tiles' lanes by `other_share` blocks of the others. How many these are depends on the
// threads, but no bit of the result does. Where there is one chunk, a task also stores its weights.
struct WeightGradientProgram {
    const Entry *entry;
    Channels seen;  // as the kernel sees them
    SummationOrder order;
    ProductTiles tiles;
    int64_t lane_share, other_share;

    int64_t tasks() const;
    int64_t share_elements() const;               // sums of a share
    int64_t partial_elements(int threads) const;  // of the arrays of all chunks, or of a share for each thread
};

// Returns how a kernel computes a weight gradient whose work is split in this way.
WeightGradientProgram weight_gradient_program(const Entry &entry, const Geometry &geometry, const Split &split);

// The array in which a kernel for a GPU leaves the sums of all chunks, dense in the order of the numbers here.
// Channels, as the kernel sees them, fill whole register tiles.
struct ChunksOnGpu {
    int64_t outputs, inputs, taps, groups, chunks;

    int64_t elements() const;
};
ChunksOnGpu chunks_on_gpu(const Entry &entry, const Geometry &geometry);

// The model of cost of the kernels for GPUs.
extern const CostModel products_gpu_cost;

}  // namespace unstride

#endif
