#ifndef UNSTRIDE_RUNTIME_KERNELS_WEIGHTS_H
#define UNSTRIDE_RUNTIME_KERNELS_WEIGHTS_H

#include <cstdint>

#include "problem/geometry.h"

namespace unstride {

// How many elements lie between the weights of neighbouring groups, input channels, output channels and taps. A tap is
// counted row by row and slice by slice; a negative stride reads the taps from the last to the first.
struct WeightStrides {
    int64_t group, input, output, tap;
};

// Returns the strides of weights that lie without gaps in PyTorch's order, [group][input channel][output channel][tap],
// with `taps` taps for each pair of an input and an output channel.
constexpr WeightStrides dense_weight_strides(const Channels &channels, int64_t taps) {
    return {channels.inputs * channels.outputs * taps, channels.outputs * taps, taps, 1};
}

// In which way a problem reads the weights of a layer.
enum class WeightOrder {
    as_they_are,
    exchanged,  // the layer's output channels are input channels of the kernel, and the other way round
    reversed,   // the same, and the taps from the last to the first
};

// Filters of as many neighbouring output channels are transformed together, side by side in vectors.
constexpr int64_t filters_at_once = 16;

// Weights in memory that somebody else owns. The taps of one input and one output channel are called a filter.
template<typename T>
struct Weights {
    const T *data;  // tap 0 of input channel 0 and output channel 0 of group 0
    WeightStrides strides;

    // Returns the first tap of a filter.
    const T *filter(int64_t group, int64_t input, int64_t output) const {
        return data + group * strides.group + input * strides.input + output * strides.output;
    }
};

}  // namespace unstride

#endif
