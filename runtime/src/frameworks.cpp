#include "unstride/frameworks.h"

#include <algorithm>

#include "checked.h"
#include "geometry.h"
#include "validation.h"

namespace unstride {
namespace {

template<typename F>
Triple each(F of_dimension) {
    return {of_dimension(0), of_dimension(1), of_dimension(2)};
}

Triple reached_size(const ConvTranspose3dOptions &o, const Triple &input) {
    return each([&](int d) { return reached_outputs(input[d], o.kernel_size[d], o.stride[d], o.dilation[d]); });
}

// All padding of the output added to that of the end.
ConvTranspose3dOptions with_padding(ConvTranspose3dOptions o, const Triple &begin, const Triple &end) {
    check_begin(begin, end);
    o.padding = begin;
    o.padding_end = each([&](int d) { return add(end[d], -o.output_padding[d]); });
    o.output_padding = 0;
    check_options(o);
    return o;
}

}  // namespace

ConvTranspose3dOptions from_onnx(const OnnxConvTranspose &a, int64_t in_channels, int64_t out_channels, bool bias, const Triple &input_size) {
    check_onnx(a, input_size);
    const ConvTranspose3dOptions o{in_channels, out_channels, a.kernel_shape, a.strides, 0, a.output_padding, a.group, bias, a.dilations};
    check_options(o);
    const bool upper = a.auto_pad == "SAME_UPPER", same = upper || a.auto_pad == "SAME_LOWER";
    if (!a.output_shape && !same) {
        const std::array<int64_t, 6> pads = a.pads.value_or(std::array<int64_t, 6>{});
        return with_padding(o, {pads[0], pads[1], pads[2]}, {pads[3], pads[4], pads[5]});
    }
    const Triple reached = reached_size(o, input_size);
    const Triple total = each([&](int d) {
        const int64_t size = add(reached[d], o.output_padding[d]);
        return a.output_shape ? size - (*a.output_shape)[d] : std::max<int64_t>(size - multiply(input_size[d], o.stride[d]), 0);
    });
    const Triple half = each([&](int d) { return (total[d] - (total[d] & 1)) / 2; });
    const Triple rest = each([&](int d) { return total[d] - half[d]; });
    return upper ? with_padding(o, half, rest) : with_padding(o, rest, half);
}

ConvTranspose3dOptions from_tensorflow(const TensorFlowConvTranspose &a, int64_t in_channels, int64_t out_channels, bool bias, const Triple &input_size) {
    check_tensorflow(a, input_size);
    const ConvTranspose3dOptions o{in_channels, out_channels, a.kernel_size, a.strides, 0, 0, 1, bias, a.dilations};
    check_options(o);
    const bool same = a.padding == "SAME" || a.padding == "same";
    const Triple extent = reached_size(o, 1), reached = reached_size(o, input_size);
    const Triple output = a.output_size ? *a.output_size : each([&](int d) {
        return same ? multiply(input_size[d], o.stride[d]) : add(reached[d], std::max<int64_t>(o.stride[d] - extent[d], 0));
    });
    const Triple convolved = each([&](int d) { return divide_up(same ? output[d] : std::max<int64_t>(output[d] - extent[d] + 1, 0), o.stride[d]); });
    check_convolved(output, convolved, input_size);
    const Triple begin = each([&](int d) { return same ? std::max<int64_t>(reached[d] - output[d], 0) / 2 : 0; });
    return with_padding(o, begin, each([&](int d) { return reached[d] - begin[d] - output[d]; }));
}

ConvTranspose3dOptions from_onednn(const OneDnnDeconvolution &p, int64_t in_channels, int64_t out_channels, bool bias) {
    check_onednn(p);
    const ConvTranspose3dOptions o{in_channels, out_channels, p.kernel, p.strides, 0, 0, p.groups, bias, each([&](int d) { return add(p.dilates[d], 1); })};
    check_options(o);
    return with_padding(o, p.padding_l, p.padding_r);
}

}  // namespace unstride
