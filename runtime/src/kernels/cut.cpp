#include "kernels/cut.h"

#include <algorithm>

#include "problem/checked.h"

namespace unstride {

std::vector<Cut> cut_nothing(const Extent &e) {
    return {{{0, 1, e.input}, {0, 1, e.output}, 1, e.kernel, e.axis, 0}};
}

std::vector<Cut> cut_into_phases(const Extent &e) {
    // Output r + q * step reads input first_input(r) + (q - j) * dilation with tap j: of the rows that are
    // first_input(r) modulo the dilation, number padding + q - j.
    const int64_t dilation = e.axis.dilation, step = e.axis.stride * dilation;
    // An Axis is right for paddings from 0 on. As many whole strides more make inputs so many more.
    const int64_t strides = divide_up(std::max<int64_t>(-e.axis.padding, 0), e.axis.stride);
    Axis<int64_t> axis = e.axis;
    axis.padding += strides * axis.stride;
    std::vector<Cut> cuts;
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
        cuts.push_back({{first, dilation, inputs}, {r, step, outputs}, 1, kernel, dense, axis.first_tap(r)});
    }
    return cuts;
}

std::vector<Cut> cut_width(const Extent &x, int interleaved, Device device) {
    if (interleaved > 1) {
        return cut_nothing(x);
    }
    const int64_t stride = x.axis.stride, columns = x.output / stride, longer = x.output % stride;
    std::vector<Cut> cuts;
    const auto cut = [&](int64_t first, int64_t count, int64_t columns_of_phase) {
        Axis<int64_t> axis = x.axis;
        axis.padding += first;  // a kernel counts phases from the first that it computes
        cuts.push_back({{0, 1, x.input}, {first, stride, columns_of_phase}, count, x.kernel, axis, 0});
    };
    if (longer > 0) {
        cut(0, longer, columns + 1);
    }
    // The output of a call on OpenCL cannot begin anywhere: there the second one computes the first phases again.
    const int64_t first = device == Device::opencl ? 0 : longer;
    if (columns > 0) {
        cut(first, stride - first, columns);
    }
    return cuts;
}

std::vector<Cut> one_phase(const Extent &x, int /*interleaved*/, Device /*device*/) {
    return cut_nothing(x);
}

}  // namespace unstride
