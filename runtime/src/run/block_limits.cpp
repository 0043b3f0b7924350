#include "run/block_limits.h"

#include <atomic>
#include <limits>

namespace unstride {
namespace {

std::atomic<int64_t> most_elements{std::numeric_limits<int32_t>::max()}, most_bytes{int64_t{8} << 20};

}  // namespace

BlockLimits block_limits() {
    return {most_elements, most_bytes};
}

void set_block_limits(const BlockLimits &limits) {
    most_elements = limits.elements;
    most_bytes = limits.bytes;
}

}  // namespace unstride
