#ifndef UNSTRIDE_RUNTIME_PANELS_H
#define UNSTRIDE_RUNTIME_PANELS_H

#include <cstdint>
#include <cstdlib>
#include <memory>

#include "unstride/conv_transpose3d.h"

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

int64_t packed_bytes(const ConvTranspose3dOptions &options, int64_t block);

// `bias` may be empty. Throws OutOfMemory.
Panels pack(const ConvTranspose3dOptions &options, const std::vector<float> &weight, const std::vector<float> &bias,
            int64_t block);

}  // namespace unstride

#endif
