#ifndef UNSTRIDE_RUNTIME_RUN_BLOCKS_H
#define UNSTRIDE_RUNTIME_RUN_BLOCKS_H

#include <array>
#include <cstdint>

#include "array/array.h"
#include "problem/problem.h"
#include "run/block_limits.h"
#include "run/execute.h"

namespace unstride {

// The inputs of a problem's kernels along a dimension that their outputs from `begin` to before `end` depend on. If
// there are none, it is the nearest input that exists. Kernels of the input gradient, `reversed`, read the layer's
// outputs.
enum class Direction { forward, reversed };
Range inputs_of(const Extent &extent, Direction direction, int64_t begin, int64_t end);

// A part of a problem that is computed as a problem of its own, with the bits of the whole.
struct BlockOfProblem {
    Problem problem;
    Range items;
    std::array<Range, 3> inputs, outputs;  // along depth, height and width

    Arrays of(const Arrays &whole) const;
};

// The blocks into which a problem on the CPU is cut, so that kernels can take each with its arrays, or with dense
// copies of them: one, if there is not much to copy.
class Blocks {
public:
    // `in_turn` outputs of a phase along depth and height are computed together, and belong to one block. Throws
    // InvalidArgument if the smallest block is too large.
    Blocks(const Problem &problem, const Arrays &arrays, int64_t in_turn);

    int64_t count() const;
    BlockOfProblem block(int64_t number) const;

private:
    using Sizes = std::array<int64_t, 4>;  // of outputs: items, slices, rows, columns

    bool fit(const Arrays &arrays, const BlockLimits &limits) const;
    bool cut();  // Returns false where no block can be smaller.
    int64_t halved(size_t dimension) const;

    const Problem problem_;
    const Direction direction_;
    const int64_t in_turn_;
    const Sizes whole_;
    Sizes size_;
};

}  // namespace unstride

#endif
