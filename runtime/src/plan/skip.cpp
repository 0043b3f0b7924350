#include "plan/skip.h"

#include "problem/checked.h"

namespace unstride {

Read without_skipped(const Geometry &geometry, const Variant &variant) {
    const bool skips = variant.op == Operator::input_gradient && variant.device == Device::cpu;
    Read read{geometry, {}};
    for (size_t d = 0; d < read.input.size(); d++) {
        Extent &e = read.geometry.extent[d];
        read.input[d] = {0, 1, e.input};
        const bool keeps_columns_dense = d == 2 && variant.layout == Layout::ncdhw;
        if (!skips || e.kernel > 1 || e.axis.stride == 1 || keeps_columns_dense) {
            continue;
        }
        // Output i reads input i * stride - padding = (i - padding of what is left) * stride + first.
        const int64_t stride = e.axis.stride, padding = -divide_down(-e.axis.padding, stride),
                      first = padding * stride - e.axis.padding;
        if (first < e.input) {
            read.input[d] = {first, stride, divide_up(e.input - first, stride)};
            e = {read.input[d].count, e.output, 1, make_axis(1, 1, padding)};
        }
    }
    return read;
}

}  // namespace unstride
