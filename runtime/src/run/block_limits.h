#ifndef UNSTRIDE_RUNTIME_RUN_BLOCK_LIMITS_H
#define UNSTRIDE_RUNTIME_RUN_BLOCK_LIMITS_H

#include <cstdint>

namespace unstride {

// How much is computed at a time on the CPU. Results do not depend on it.
struct BlockLimits {
    int64_t elements;  // that an item of an array has, or reaches over, in a call of a kernel: at most 2^31 - 1
    int64_t bytes;     // of dense copies of arrays that kernels cannot take as they are
};
BlockLimits block_limits();
void set_block_limits(const BlockLimits &limits);  // for tests

}  // namespace unstride

#endif
