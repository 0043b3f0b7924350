#ifndef UNSTRIDE_FRAMEWORKS_H
#define UNSTRIDE_FRAMEWORKS_H

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>

#include "unstride/conv_transpose.h"

namespace unstride {

// Layers as other frameworks describe them. Each function works out which outputs are cut off or added at the two ends,
// by that framework's own rule: the result has no output padding, all is in `padding` and `padding_end`. It throws
// InvalidArgument for parameters that the framework or ConvTranspose refuses.
//
// Extents are a number for each dimension of space, as in ConvTransposeOptions: an int64_t, a Pair or a Triple. Their
// kind is that of the first argument, and Triple where that is in braces; input_size is whatever converts to it. With 1
// for the first sizes, and paddings of 0 there, a Triple also is for a layer of fewer dimensions, and the result for
// ConvTranspose(options, 1) or (options, 2).

// The attributes of the operator ConvTranspose of ONNX, with their names and defaults. kernel_shape is always needed.
// The operator's weights have the order of ConvTranspose.
template<typename Extents>
struct BasicOnnxConvTranspose {
    std::string auto_pad = "NOTSET";  // or SAME_UPPER, SAME_LOWER, VALID
    Extents dilations = 1;
    int64_t group = 1;
    Extents kernel_shape = 1;
    Extents output_padding = 0;
    std::optional<Extents> output_shape = std::nullopt;  // without batch and channels
    std::optional<std::array<int64_t, 2 * sizeof(Extents) / sizeof(int64_t)>> pads =
        std::nullopt;  // at all beginnings, then at all ends
    Extents strides = 1;
};

using OnnxConvTranspose1d = BasicOnnxConvTranspose<int64_t>;
using OnnxConvTranspose2d = BasicOnnxConvTranspose<Pair>;
using OnnxConvTranspose = BasicOnnxConvTranspose<Triple>;

// By the operator's documentation, https://onnx.ai/onnx/operators/onnx__ConvTranspose.html, with size as short for
//
//   size             = strides * (input_size - 1) + output_padding + (kernel_shape - 1) * dilations + 1
//
//   pads             are taken as they are, and may not come with auto_pad; VALID and NOTSET without them have none.
//   SAME             total_padding = max(size - input_size * strides, 0)
//   output_shape     total_padding = size - output_shape, whatever pads are
//                    In both cases, SAME_UPPER has total_padding / 2, rounded down, at the beginning, and the rest at
//                    the end. All others have total_padding / 2, rounded down, at the end, and the rest at the
//                    beginning. Where it is negative, outputs are added that no tap reaches: with SAME by the same
//                    rule, as ONNX's reference implementation has it (ONNX Runtime adds them at the end), and with
//                    NOTSET and VALID at the end, where both have them.
//   the output       is size - beginning - end.
//
// The result is for inputs of this size, unless pads or VALID say it all.
template<typename Extents = Triple>
ConvTransposeOptions<Extents> from_onnx(const BasicOnnxConvTranspose<Extents> &attributes, int64_t in_channels,
                                        int64_t out_channels, bool bias, const std::common_type_t<Extents> &input_size);

// The arguments of TensorFlow's tf.nn.conv3d_transpose and of Keras' Conv3DTranspose, and of those in two dimensions
// and one, which have no groups. Their filter has the order (depth, height, width, output channel, input channel), and
// is not turned around; their data format NDHWC, NHWC or NWC is the layout ndhwc.
template<typename Extents>
struct BasicTensorFlowConvTranspose {
    Extents kernel_size = 1;
    Extents strides = 1;
    std::string padding = "VALID";  // or SAME; in lower case, too
    Extents dilations = 1;
    std::optional<Extents> output_size =
        std::nullopt;  // of TensorFlow's output_shape; for Keras' output_padding, that which it makes
};

using TensorFlowConvTranspose1d = BasicTensorFlowConvTranspose<int64_t>;
using TensorFlowConvTranspose2d = BasicTensorFlowConvTranspose<Pair>;
using TensorFlowConvTranspose = BasicTensorFlowConvTranspose<Triple>;

// The layer is the gradient of a convolution, whose padding counts. With extent = (kernel_size - 1) * dilations + 1,
//
//   output_size      SAME: input_size * strides; VALID: input_size * strides + max(extent - strides, 0), if it is not
//   given. That is
//                    deconv_output_length of Keras.
//   it has to fit    SAME: input_size = output_size / strides, rounded up; VALID: (output_size - extent + 1) / strides,
//   rounded up. padding          SAME: total = max((input_size - 1) * strides + extent - output_size, 0), of which
//   total / 2, rounded down, at the
//                    beginning; VALID: none. That is GetWindowedOutputSizeVerbose of
//                    tensorflow/core/framework/kernel_shape_util.cc, for the convolution from output_size to
//                    input_size.
//
// The result is for inputs of this size.
template<typename Extents = Triple>
ConvTransposeOptions<Extents> from_tensorflow(const BasicTensorFlowConvTranspose<Extents> &arguments,
                                              int64_t in_channels, int64_t out_channels, bool bias,
                                              const std::common_type_t<Extents> &input_size);

// The parameters of a deconvolution primitive of oneDNN. Its weights have the order (groups, output channel, input
// channel, depth, height, width).
template<typename Extents>
struct BasicOneDnnDeconvolution {
    Extents kernel = 1;
    Extents strides = 1;
    Extents dilates = 0;    // elements left out between two of the kernel
    Extents padding_l = 0;  // these may be negative: outputs are added
    Extents padding_r = 0;
    int64_t groups = 1;
};

using OneDnnDeconvolution1d = BasicOneDnnDeconvolution<int64_t>;
using OneDnnDeconvolution2d = BasicOneDnnDeconvolution<Pair>;
using OneDnnDeconvolution = BasicOneDnnDeconvolution<Triple>;

// By https://uxlfoundation.github.io/oneDNN/dev_guide_deconvolution.html, for an input of any size:
//
//   output = (input - 1) * strides + (kernel - 1) * (dilates + 1) + 1 - padding_l - padding_r
template<typename Extents = Triple>
ConvTransposeOptions<Extents> from_onednn(const BasicOneDnnDeconvolution<Extents> &primitive, int64_t in_channels,
                                          int64_t out_channels, bool bias);

}  // namespace unstride

#endif
