#ifndef UNSTRIDE_GENERATORS_KNOWN_H
#define UNSTRIDE_GENERATORS_KNOWN_H

#include <string>
#include <vector>

#include "Halide.h"
#include "axis.h"

namespace unstride {

// What a kernel for one layer knows of a dimension when it is compiled. Where it is `passed`, the caller says it.
constexpr int passed = -1;
struct Known {
    Halide::GeneratorParam<int> kernel, stride, padding, dilation, input, output;

    explicit Known(const std::string &dimension)
        : kernel("known_kernel_" + dimension, passed), stride("known_stride_" + dimension, passed),
          padding("known_padding_" + dimension, passed), dilation("known_dilation_" + dimension, passed),
          input("known_input_" + dimension, passed), output("known_output_" + dimension, passed) {
    }
};

// The numbers of an Axis, as a kernel's arguments.
template<typename Argument>
struct AxisArguments {
    Argument &padding, &dilation, &stride, &common, &inverse;

    // Tells an autoscheduler what they will be.
    void estimate(const Known &dimension) const {
        const Axis<int64_t> a = make_axis(dimension.stride, dimension.dilation, dimension.padding);
        padding.set_estimate(static_cast<int>(a.padding));
        dilation.set_estimate(static_cast<int>(a.dilation));
        stride.set_estimate(static_cast<int>(a.stride));
        common.set_estimate(static_cast<int>(a.common));
        inverse.set_estimate(static_cast<int>(a.inverse));
    }
};

// Tells an autoscheduler the extents of an array, of which `dimension(d)` is dimension d, as estimates or as what they
// are.
template<typename Dimension>
void estimate(const Dimension &dimension, const std::vector<int> &extents, bool estimates_only) {
    for (size_t d = 0; d < extents.size(); d++) {
        Halide::Internal::Dimension each = dimension(static_cast<int>(d));
        if (!estimates_only) {
            each.set_bounds(0, extents[d]);
        }
        each.set_estimate(0, extents[d]);
    }
}

}  // namespace unstride

#endif
