#ifndef UNSTRIDE_RUNTIME_KERNELS_PANELS_H
#define UNSTRIDE_RUNTIME_KERNELS_PANELS_H

#include <cstdint>
#include <memory>
#include <vector>

#include "array/device_array.h"
#include "array/memory.h"
#include "kernels/activation_formula.h"
#include "kernels/numbers.h"
#include "problem/geometry.h"
#include "unstride/variants.h"

namespace unstride {

// What a layer has for its channels, in PyTorch's order.
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
    Memory bias;     // [bias, what the activation's formula takes, twice][group][block][lane]

    // The same in a GPU's memory, in their place.
    std::unique_ptr<DeviceArray> device_weight, device_bias;
};

// The panels that a variant needs for a layer, or for a range of the output channels of each group: `geometry` has
// those, of which the first is channel `first` of `all_outputs`. They are one set, or one for each phase of depth and
// height, as panels_of_phase counts them. Throws OutOfMemory.
std::vector<Panels> pack(const Geometry &geometry, const Variant &variant, int64_t first, int64_t all_outputs,
                         const Parameters &parameters);

// The same in a GPU's memory.
std::vector<Panels> pack(const Stream &stream, const Geometry &geometry, const Variant &variant,
                         const Parameters &parameters);

// Whether bf16 has these numbers, and none is closer to zero than its normal ones are: what kernels of pairs compute
// with as it is.
bool are_in_bf16(const std::vector<float> &numbers);

int64_t packed_bytes(const Geometry &geometry, const Variant &variant);

// By the phase's first taps.
int64_t panels_of_phase(const Geometry &geometry, const Variant &variant, int64_t first_tap_z, int64_t first_tap_y);

}  // namespace unstride

#endif
