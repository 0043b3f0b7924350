#ifndef UNSTRIDE_RUNTIME_PROBLEM_GEOMETRY_H
#define UNSTRIDE_RUNTIME_PROBLEM_GEOMETRY_H

#include <array>
#include <cstdint>

#include "axis.h"
#include "unstride/conv_transpose.h"

namespace unstride {

// The sizes and the arithmetic of one dimension of space, for a layer and an input.
struct Extent {
    int64_t input, output, kernel;
    Axis<int64_t> axis;
};

// The channels of a layer as a kernel sees them: the number of groups, and of input and output channels in each group.
struct Channels {
    int64_t groups, inputs, outputs;
};

// Returns the number of outputs along one dimension from the first to the last that a tap reaches, before paddings cut
// some off. Throws InvalidArgument if that does not fit in 64 bits.
int64_t reached_outputs(int64_t input, int64_t kernel, int64_t stride, int64_t dilation);

// All sizes that a kernel has to know of a layer and an input. The checks (checks/checks.h) make it, so that they are
// known to be valid, and that products of them do not overflow.
struct Geometry {
    int64_t batch;
    Channels channels;
    std::array<Extent, 3> extent;  // depth, height, width

    // Whether each group has one input channel and one output channel.
    bool depthwise() const {
        return channels.inputs == 1 && channels.outputs == 1;
    }

    int64_t input_elements() const;
    int64_t output_elements() const;
    int64_t weight_elements() const;
    int64_t taps() const;  // of the kernel

    // Returns the number of multiply-adds whose tap, input and output all exist: the work that the layer needs, without
    // what a kernel adds to it.
    double multiply_adds() const;
};

// Returns the sizes of an operator that goes from a layer's output to its input, as its kernels see them: with the
// layer's output as their input. Done twice, it gives the layer's own.
Geometry reversed(Geometry geometry);

// Returns the layer whose forward is the input gradient of a layer of stride 1: from the output's gradient, with the
// kernel reversed and its channels exchanged. Done twice, it gives the layer's own sizes.
Geometry reversed_as_forward(Geometry geometry);

// Returns a geometry in which all that is known is a layer's output, as a single group. It has no input channels, and
// so no inputs and no weights.
Geometry with_outputs_alone(const Geometry &geometry);

}  // namespace unstride

#endif
