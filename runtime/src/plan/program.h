#ifndef UNSTRIDE_RUNTIME_PLAN_PROGRAM_H
#define UNSTRIDE_RUNTIME_PLAN_PROGRAM_H

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "array/array.h"
#include "kernels/catalog.h"
#include "kernels/cost.h"
#include "kernels/cut.h"
#include "problem/problem.h"

namespace unstride {

// A part of a layer that kernels compute as a layer of its own. Most layers are one piece. A layer with a single long
// row has up to three: the columns that are computed as several rows, and those left over before and behind them
// (plan/fold.h).
struct Piece {
    Geometry geometry;
    bool is_whole;              // the piece is the whole layer, and the next two ranges have no meaning
    Range input, output;        // the columns of the layer's only row at which the rows of the piece begin
    std::array<Range, 3> read;  // the slices, rows and columns that are read if the piece is the whole layer

    // The cuts of depth, height and width. A kernel is called once for each combination of one cut of each. Sums over
    // positions have none.
    std::array<std::vector<Cut>, 3> cuts;
};

// What one kernel computes: all output channels of each group, or some of them.
struct Part {
    const Entry *entry;
    Channels seen;   // the channels as the kernel sees them (FamilyRules), with the outputs of this part alone
    Range channels;  // the output channels of each group that this part computes
    Split split;
    std::vector<Piece> pieces;
};

// A problem as calls of kernels. A program has neither addresses nor strides, so that it is made once and then run for
// any arrays of the problem's sizes.
struct Program {
    std::vector<Part> parts;  // one, and perhaps one for the channels that do not fill a block of the first
    std::string reason;       // why the planner chose these kernels, for users
    double measured_seconds;  // time of a call that wisdom tells or the layer measured; 0 if none
};

using Programs = std::vector<std::shared_ptr<const Program>>;

// Returns the layer that a part computes: `geometry`, the whole one, with the output channels of the part only.
Geometry geometry_of(const Part &part, Geometry geometry);

// Returns the calls of a kernel that compute `channels` output channels of each group, from number `first` on.
Part lower(const Entry &entry, const Problem &problem, int64_t first, int64_t channels, const Split &split);

// Returns whether a part of a program can run only in calls that meet a condition.
bool needs(const Program &program, bool Conditions::*condition);

// Returns for how many items of the batch, at least 1, the indices of elements fit in 32 bits, as they have to within a
// call. Neighbouring items lie at most `most_apart` elements apart in the caller's arrays; they are counted as at least
// the size of a dense item apart.
int64_t items_in_32_bits(const Geometry &geometry, int64_t most_apart);

// Returns how many items of the batch one call for a piece can take: as many as items_in_32_bits() tells, and on a GPU
// no more than its grid has room for. Throws InvalidArgument where the batch would take several calls with OpenCL,
// or where a GPU's grid is too small for the output channels.
int64_t items_of_call(const Part &part, const Piece &piece, int64_t most_apart);

}  // namespace unstride

#endif
