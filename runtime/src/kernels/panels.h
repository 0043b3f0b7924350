#ifndef UNSTRIDE_RUNTIME_KERNELS_PANELS_H
#define UNSTRIDE_RUNTIME_KERNELS_PANELS_H

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "array/array.h"
#include "array/memory.h"
#include "kernels/activation_formula.h"
#include "kernels/catalog.h"
#include "kernels/numbers.h"
#include "problem/geometry.h"

namespace unstride {

// The weights, bias and activation of a layer, in PyTorch's order, from which panels are packed.
struct Parameters {
    Numbers weight;  // [group][input channel][output channel][tap]
    Numbers bias;    // [group][output channel], or empty
    FormulaParameters formula;
};

// Weights and bias in the order that kernels of one block size read them. A panel holds, for one block of output
// channels and one tap, the block's weights for each input channel: the innermost loop reads it from end to end. The
// channels that fill up the last block are zero. Kernels of pairs have two input channels in each float: their weights
// in bf16, the first in its lower half.
struct Panels {
    int64_t block;   // output channels in a panel
    int64_t blocks;  // panels that one group's output channels take
    DType dtype;     // the kernels' type of sums
    Memory weight;   // [group][block][kz][ky][kx][input channel][lane]
    Memory bias;     // [bias, and two parameters of the activation's formula][group][block][lane]

    // On a GPU, weight and bias are in its memory, and those above are null.
    std::unique_ptr<DeviceArray> device_weight, device_bias;
};

// The panels that a kernel needs for a layer, or for a range of the output channels of each group: `geometry` has
// those, of which the first is channel `first` of `all_outputs`. They are one set, or one for each phase of depth and
// height, in the order of their first taps. Throws OutOfMemory.
std::vector<Panels> pack(const Geometry &geometry, const Entry &entry, int64_t first, int64_t all_outputs,
                         const Parameters &parameters);

// Packs all of a layer in the same way, but into a GPU's memory.
std::vector<Panels> pack(const Stream &stream, const Geometry &geometry, const Entry &entry,
                         const Parameters &parameters);

// What a kernel takes as its weights, in a call that is told of a kernel of this depth, height and width; and as its
// bias, with which the parameters of the activation come. `seen` are the channels as the kernel sees them.
KernelBuffer<7> weight_buffer(const Panels &panels, const Entry &entry, const Channels &seen,
                              const std::array<int64_t, 3> &kernel);
KernelBuffer<3> bias_buffer(const Panels &panels, const Entry &entry, const Channels &seen);

// Whether bf16 has all these numbers, and none is closer to zero than its normal ones are. Kernels of pairs compute
// with such weights without rounding them.
bool are_in_bf16(const std::vector<float> &numbers);

int64_t packed_bytes(const Geometry &geometry, const Entry &entry);

}  // namespace unstride

#endif
