#ifndef UNSTRIDE_SCHEDULES_LOWERING_H
#define UNSTRIDE_SCHEDULES_LOWERING_H

#include <memory>
#include <set>
#include <string>

#include "stages.h"

namespace unstride {

// Steps of the compilation of a kernel for a CPU, after Halide's own. Each says in its file what it does and why.
using LoweringStep = std::unique_ptr<Halide::Internal::IRMutator>;
LoweringStep load_whole_vectors(const Stages &stages);
LoweringStep prefetch_outputs(const Stages &stages);
LoweringStep store_plain_tiles(const Stages &stages);
LoweringStep store_parts();

// The stages between the sums and the output, whose buffers hold a whole tile.
std::set<std::string> buffers_of_tiles(const Stages &stages);

}  // namespace unstride

#endif
