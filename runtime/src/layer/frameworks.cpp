#include "unstride/frameworks.h"

#include <algorithm>

#include "checks/checks.h"
#include "problem/checked.h"
#include "problem/dimensions.h"
#include "problem/geometry.h"

namespace unstride {
namespace {

template<typename F>
Triple each(F of_dimension) {
    return {of_dimension(0), of_dimension(1), of_dimension(2)};
}

Triple reached_size(const ConvTranspose3dOptions &o, const Triple &input) {
    return each([&](int d) { return reached_outputs(input[d], o.kernel_size[d], o.stride[d], o.dilation[d]); });
}

// Returns the options with these paddings at beginning and end. Output padding becomes less padding at the end.
ConvTranspose3dOptions with_padding(ConvTranspose3dOptions o, const Triple &begin, const Triple &end, int spatial) {
    o.padding = begin;
    o.padding_end = each([&](int d) { return add(end[d], -o.output_padding[d]); });
    o.output_padding = 0;
    check_options(o, spatial);
    return o;
}

// These functions are the frameworks' rules for layers of three dimensions of space. They lead to paddings of 0 in the
// dimensions that a layer of fewer lacks, as sizes, strides and dilations are 1 there.

ConvTranspose3dOptions onnx_rule(const OnnxConvTranspose &a, int64_t in_channels, int64_t out_channels, bool bias,
                                 const Triple &input_size, int spatial) {
    check_onnx(a, input_size, spatial);
    const ConvTranspose3dOptions o{in_channels,      out_channels, a.kernel_shape, a.strides,  0,
                                   a.output_padding, a.group,      bias,           a.dilations};
    check_options(o, spatial);
    const bool upper = a.auto_pad == "SAME_UPPER", same = upper || a.auto_pad == "SAME_LOWER";
    if (!a.output_shape && !same) {
        const std::array<int64_t, 6> pads = a.pads.value_or(std::array<int64_t, 6>{});
        return with_padding(o, {pads[0], pads[1], pads[2]}, {pads[3], pads[4], pads[5]}, spatial);
    }
    const Triple reached = reached_size(o, input_size);
    const Triple total = each([&](int d) {
        const int64_t size = add(reached[d], o.output_padding[d]);
        return a.output_shape ? size - (*a.output_shape)[d]
                              : std::max<int64_t>(size - multiply(input_size[d], o.stride[d]), 0);
    });
    const Triple begin = each([&](int d) {
        const int64_t half = divide_down(total[d], 2), rest = total[d] - half;
        if (upper) {
            return half;
        }
        return same ? rest : std::max<int64_t>(rest, 0);
    });
    return with_padding(o, begin, each([&](int d) { return total[d] - begin[d]; }), spatial);
}

ConvTranspose3dOptions tensorflow_rule(const TensorFlowConvTranspose &a, int64_t in_channels, int64_t out_channels,
                                       bool bias, const Triple &input_size, int spatial) {
    check_tensorflow(a, input_size, spatial);
    const ConvTranspose3dOptions o{in_channels, out_channels, a.kernel_size, a.strides, 0, 0, 1, bias, a.dilations};
    check_options(o, spatial);
    const bool same = a.padding == "SAME" || a.padding == "same";
    const Triple extent = reached_size(o, 1), reached = reached_size(o, input_size);
    const auto usual_output = [&](int d) {
        return same ? multiply(input_size[d], o.stride[d])
                    : add(reached[d], std::max<int64_t>(o.stride[d] - extent[d], 0));
    };
    const Triple output = a.output_size ? *a.output_size : each(usual_output);
    const Triple convolved = each([&](int d) {
        return divide_up(same ? output[d] : std::max<int64_t>(output[d] - extent[d] + 1, 0), o.stride[d]);
    });
    check_convolved(output, convolved, input_size, spatial);
    const Triple begin = each([&](int d) { return same ? std::max<int64_t>(reached[d] - output[d], 0) / 2 : 0; });
    return with_padding(o, begin, each([&](int d) { return reached[d] - begin[d] - output[d]; }), spatial);
}

ConvTranspose3dOptions onednn_rule(const OneDnnDeconvolution &p, int64_t in_channels, int64_t out_channels, bool bias,
                                   int spatial) {
    check_onednn(p);
    const ConvTranspose3dOptions o{
        in_channels, out_channels, p.kernel, p.strides, 0, 0, p.groups, bias, each([&](int d) {
            return add(p.dilates[d], 1);
        })};
    check_options(o, spatial);
    return with_padding(o, p.padding_l, p.padding_r, spatial);
}

template<size_t n>
std::optional<std::array<int64_t, 6>> lifted_pads(const std::optional<std::array<int64_t, n>> &pads) {
    if (!pads) {
        return std::nullopt;
    }
    std::array<int64_t, 6> all{};
    std::copy_backward(pads->begin(), pads->begin() + n / 2, all.begin() + 3);
    std::copy_backward(pads->begin() + n / 2, pads->end(), all.end());
    return all;
}

}  // namespace

template<typename Extents>
ConvTransposeOptions<Extents> from_onnx(const BasicOnnxConvTranspose<Extents> &a, int64_t in_channels,
                                        int64_t out_channels, bool bias,
                                        const std::common_type_t<Extents> &input_size) {
    const OnnxConvTranspose all{a.auto_pad,
                                lifted(a.dilations, 1),
                                a.group,
                                lifted(a.kernel_shape, 1),
                                lifted(a.output_padding, 0),
                                lifted(a.output_shape, 1),
                                lifted_pads(a.pads),
                                lifted(a.strides, 1)};
    return lowered<Extents>(
        onnx_rule(all, in_channels, out_channels, bias, lifted(input_size, 1), spatial_dimensions<Extents>));
}

template<typename Extents>
ConvTransposeOptions<Extents> from_tensorflow(const BasicTensorFlowConvTranspose<Extents> &a, int64_t in_channels,
                                              int64_t out_channels, bool bias,
                                              const std::common_type_t<Extents> &input_size) {
    const TensorFlowConvTranspose all{lifted(a.kernel_size, 1), lifted(a.strides, 1), a.padding, lifted(a.dilations, 1),
                                      lifted(a.output_size, 1)};
    return lowered<Extents>(
        tensorflow_rule(all, in_channels, out_channels, bias, lifted(input_size, 1), spatial_dimensions<Extents>));
}

template<typename Extents>
ConvTransposeOptions<Extents> from_onednn(const BasicOneDnnDeconvolution<Extents> &p, int64_t in_channels,
                                          int64_t out_channels, bool bias) {
    const OneDnnDeconvolution all{lifted(p.kernel, 1),    lifted(p.strides, 1),   lifted(p.dilates, 0),
                                  lifted(p.padding_l, 0), lifted(p.padding_r, 0), p.groups};
    return lowered<Extents>(onednn_rule(all, in_channels, out_channels, bias, spatial_dimensions<Extents>));
}

template ConvTranspose1dOptions from_onnx(const OnnxConvTranspose1d &, int64_t, int64_t, bool, const int64_t &);
template ConvTranspose2dOptions from_onnx(const OnnxConvTranspose2d &, int64_t, int64_t, bool, const Pair &);
template ConvTranspose3dOptions from_onnx(const OnnxConvTranspose &, int64_t, int64_t, bool, const Triple &);
template ConvTranspose1dOptions from_tensorflow(const TensorFlowConvTranspose1d &, int64_t, int64_t, bool,
                                                const int64_t &);
template ConvTranspose2dOptions from_tensorflow(const TensorFlowConvTranspose2d &, int64_t, int64_t, bool,
                                                const Pair &);
template ConvTranspose3dOptions from_tensorflow(const TensorFlowConvTranspose &, int64_t, int64_t, bool,
                                                const Triple &);
template ConvTranspose1dOptions from_onednn(const OneDnnDeconvolution1d &, int64_t, int64_t, bool);
template ConvTranspose2dOptions from_onednn(const OneDnnDeconvolution2d &, int64_t, int64_t, bool);
template ConvTranspose3dOptions from_onednn(const OneDnnDeconvolution &, int64_t, int64_t, bool);

}  // namespace unstride
