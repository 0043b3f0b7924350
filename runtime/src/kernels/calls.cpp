#include "kernels/calls.h"

#include <algorithm>

#include "problem/checked.h"

namespace unstride {

Channels channels_seen(const Channels &channels, const Variant &variant) {
    if (variant.family == "depthwise") {
        return {1, 1, channels.groups};
    }
    return {channels.groups, variant.family == "pairs" ? divide_up(channels.inputs, 2) : channels.inputs,
            channels.outputs};
}

Algorithm algorithm_of(const Variant &variant) {
    return variant.family == "winograd" ? Algorithm::winograd
           : variant.family == "taps"   ? Algorithm::taps
           : variant.family == "pairs"  ? Algorithm::pairs
                                        : Algorithm::direct;
}

std::vector<Phases> phases_of_calls(const Extent &x, const Variant &variant) {
    if (variant.stride_x > 1) {
        return {{0, 1, x.output, 1}};
    }
    const int64_t stride = x.axis.stride, columns = x.output / stride, longer = x.output % stride;
    std::vector<Phases> calls;
    if (longer > 0) {
        calls.push_back({0, longer, columns + 1, stride});
    }
    if (columns > 0 &&
        variant.device == Device::opencl) {  // all of them, as the output of a call cannot begin anywhere
        calls.push_back({0, stride, columns, stride});
    } else if (columns > 0) {
        calls.push_back({longer, stride - longer, columns, stride});
    }
    return calls;
}

std::vector<Section> sections_of_calls(const Extent &e, const Variant &variant) {
    return algorithm_of(variant) == Algorithm::winograd
               ? phase_sections(e)
               : std::vector<Section>{{0, 1, e.output, 0, 1, e.input, e.kernel, e.axis, 0}};
}

std::vector<Section> phase_sections(const Extent &e) {
    // Output r + q * step reads input first_input(r) + (q - j) * dilation with tap j: of the rows that are
    // first_input(r) modulo the dilation, number padding + q - j.
    const int64_t dilation = e.axis.dilation, step = e.axis.stride * dilation;
    // An Axis is right for paddings from 0 on. As many whole strides more make inputs so many more.
    const int64_t strides = divide_up(std::max<int64_t>(-e.axis.padding, 0), e.axis.stride);
    Axis<int64_t> axis = e.axis;
    axis.padding += strides * axis.stride;
    std::vector<Section> sections;
    for (int64_t r = 0; r < std::min(step, e.output); r++) {
        const int64_t start = axis.first_input(r) - strides, rest = (start % dilation + dilation) % dilation;
        const int64_t outputs = divide_up(e.output - r, step);
        int64_t padding = (start - rest) / dilation, inputs = divide_up(std::max<int64_t>(e.input - rest, 0), dilation),
                first = rest;
        if (inputs == 0) {  // none of them is read, as all taps are left of a row that exists
            padding = -outputs - 2;
            inputs = 1;
            first = 0;
        }
        const int64_t kernel = axis.tap_count(r, e.kernel) + 1;
        const Axis<int64_t> dense{1, 1, 1, 0, padding};
        sections.push_back({r, step, outputs, first, dilation, inputs, kernel, dense, axis.first_tap(r)});
    }
    return sections;
}

}  // namespace unstride
