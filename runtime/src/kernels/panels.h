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
    Numbers weight;             // [group][input channel][output channel][tap]
    Numbers bias;               // [group][output channel], or empty
    FormulaParameters formula;  // of the activation
};

// Weights and bias in the order in which kernels of one block size read them. A panel holds, for one block of output
// channels and one tap, the block's weights for each input channel. The innermost loop of a kernel reads it from end to
// end. The last block of a group is filled up with channels of zeros. For kernels of pairs, each float holds the
// weights of two input channels in bf16, the first one in its lower half.
struct Panels {
    int64_t block;   // output channels in a panel
    int64_t blocks;  // panels that one group's output channels take
    DType dtype;     // the kernels' type of sums
    Memory weight;   // [group][block][kz][ky][kx][input channel][lane]
    Memory bias;     // [bias, and two parameters of the activation's formula][group][block][lane]

    // For a kernel on a GPU, weight and bias are here, in the GPU's memory, and those above are null. Otherwise these
    // are null.
    std::unique_ptr<DeviceArray> device_weight, device_bias;
};

// Returns the panels that a kernel needs for a layer, or for a range of the output channels of each group. `geometry`
// has the output channels of that range alone; its first one is number `first` of the `all_outputs` channels that
// `parameters` has for a group, if the weights are read in this order. There is one set of panels, or one for each pair
// of a phase of the depth and a phase of the height, in the order of their first taps. They take the memory of
// `outdated`, panels of the same kernel, range and layer with other parameters, if there are any. Throws OutOfMemory.
std::vector<Panels> pack(const Geometry &geometry, const Entry &entry, int64_t first, int64_t all_outputs,
                         const Parameters &parameters, WeightOrder order, std::vector<Panels> outdated = {});

// Returns the panels of all output channels of a layer, in the memory of the stream's GPU.
std::vector<Panels> pack(const Stream &stream, const Geometry &geometry, const Entry &entry,
                         const Parameters &parameters, WeightOrder order);

// These return the arguments of a call that hold the weights, and the bias together with the activation's parameters.
// `seen` are the channels as the kernel sees them (FamilyRules), and `kernel` is the depth, height and width of the
// convolution kernel that the call is told of.
KernelBuffer<7> weight_buffer(const Panels &panels, const Entry &entry, const Channels &seen,
                              const std::array<int64_t, 3> &kernel);
KernelBuffer<3> bias_buffer(const Panels &panels, const Entry &entry, const Channels &seen);

// Returns whether all numbers are exact in bf16, and none but 0 is closer to zero than the normal numbers of bf16.
// Kernels of pairs compute with such weights without rounding them.
bool are_in_bf16(const std::vector<float> &numbers);

// Returns the bytes that the panels of a layer take for a kernel.
int64_t packed_bytes(const Geometry &geometry, const Entry &entry);

}  // namespace unstride

#endif
