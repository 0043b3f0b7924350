#ifndef UNSTRIDE_RUNTIME_PANELS_H
#define UNSTRIDE_RUNTIME_PANELS_H

#include <cstdint>
#include <cstdlib>
#include <memory>

#include <vector>

#include "geometry.h"

namespace unstride {

struct FreeFloats {
    void operator()(float *p) const {
        std::free(p);
    }
};

// Weights and bias in the order that kernels of one block size read them. A panel holds, for one block of output
// channels and one tap, the block's weights for each input channel: the innermost loop reads it from end to end. The
// channels that fill up the last block are zero.
struct Panels {
    int64_t block;                                // output channels in a panel
    int64_t blocks;                               // panels that one group's output channels take
    std::unique_ptr<float[], FreeFloats> weight;  // [group][block][kz][ky][kx][input channel][lane]
    std::unique_ptr<float[], FreeFloats> bias;    // [group][block][lane]
};

// Channels are as the kernel sees them, outputs those of the panels; taps are those of the whole kernel: depth * height * width.
int64_t packed_bytes(const Channels &channels, int64_t taps, int64_t block);

// The weights are in PyTorch's order, as [group][input channel][output channel][tap]; `bias` may be empty. Of each group's
// `all_outputs` output channels, packs those from `first` on. Throws OutOfMemory.
Panels pack(const Channels &channels, int64_t first, int64_t all_outputs, int64_t taps, const std::vector<float> &weight,
            const std::vector<float> &bias, int64_t block);

}  // namespace unstride

#endif
