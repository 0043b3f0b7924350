#ifndef UNSTRIDE_RUNTIME_PLAN_PROGRAM_H
#define UNSTRIDE_RUNTIME_PLAN_PROGRAM_H

#include <array>
#include <string>
#include <vector>

#include "array/array.h"
#include "kernels/catalog.h"
#include "kernels/cost.h"
#include "kernels/cut.h"
#include "problem/problem.h"

namespace unstride {

// Some columns of a layer that has but one row: all of them, or those that are computed as several rows, or what is
// left over before and behind those (plan/fold.h). Other layers are one piece.
struct Piece {
    Geometry geometry;
    bool is_whole;        // then it has the rows of the layer, and those below do not matter
    Range input, output;  // its rows: the columns at which they begin

    // Its calls: one for each combination of a cut of depth, height and width.
    std::array<std::vector<Cut>, 3> cuts;
};

// What one kernel computes: all output channels of each group, or some of them.
struct Part {
    const Entry *entry;
    Channels seen;   // the layer's channels, as the kernel sees them; the outputs are those of `channels` alone
    Range channels;  // output channels in each group
    Split split;
    std::vector<Piece> pieces;
};

// A problem, lowered to calls of kernels. It has neither addresses nor strides, and is run as often as it is asked for.
struct Program {
    std::vector<Part> parts;  // one, or a second one for the channels that do not fill a block of the first
    std::string reason;       // why these kernels
    double measured_seconds;  // of a forward, by unstride tune; 0 if it was not measured
};

// The layer that a part computes.
Geometry geometry_of(const Part &part, Geometry geometry);

// The calls that compute so many output channels of each group, from `first` on, with a kernel.
Part lower(const Entry &entry, const Problem &problem, int64_t first, int64_t channels, const Split &split);

// Whether a part needs a condition that only some calls have.
bool needs(const Program &program, bool Conditions::*condition);

// Items of the batch whose elements 32 bits can number, as kernels do, in arrays that have their items so many elements
// apart, or dense.
int64_t items_in_32_bits(const Geometry &geometry, int64_t most_apart);

// Items of the batch that one call of a piece can take, for arrays that have their items so many elements apart. Throws
// InvalidArgument where a GPU cannot compute the piece.
int64_t items_of_call(const Part &part, const Piece &piece, int64_t most_apart);

}  // namespace unstride

#endif
