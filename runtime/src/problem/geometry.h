#ifndef UNSTRIDE_RUNTIME_PROBLEM_GEOMETRY_H
#define UNSTRIDE_RUNTIME_PROBLEM_GEOMETRY_H

#include <array>
#include <cstdint>

#include "axis.h"
#include "unstride/conv_transpose.h"

namespace unstride {

// One spatial dimension of a layer and an input.
struct Extent {
    int64_t input, output, kernel;
    Axis<int64_t> axis;
};

// How a kernel sees the channels of a layer: groups, and input and output channels in each.
struct Channels {
    int64_t groups, inputs, outputs;
};

// Outputs from the first that a tap reaches to the last one. Throws InvalidArgument if they are too many for 64 bits.
int64_t reached_outputs(int64_t input, int64_t kernel, int64_t stride, int64_t dilation);

// All that a kernel has to know of a layer and an input, checked.
struct Geometry {
    int64_t batch;
    Channels channels;
    std::array<Extent, 3> extent;  // depth, height, width

    // One input channel and one output channel in each group.
    bool depthwise() const {
        return channels.inputs == 1 && channels.outputs == 1;
    }

    int64_t input_elements() const;
    int64_t output_elements() const;
    int64_t weight_elements() const;

    // Multiply-adds whose tap and output both exist: the work, without anything that a kernel adds to it.
    double multiply_adds() const;
};

}  // namespace unstride

#endif
