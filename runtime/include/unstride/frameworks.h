#ifndef UNSTRIDE_FRAMEWORKS_H
#define UNSTRIDE_FRAMEWORKS_H

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>

#include "unstride/conv_transpose.h"

namespace unstride {

// These functions convert the description of a layer in another framework to the options of a ConvTranspose. Each works
// out, by that framework's own rule, how many outputs are cut off or added at the two ends. The result has that in
// `padding` and `padding_end`, and has no output padding. All throw InvalidArgument for parameters that the framework
// or ConvTranspose refuses.
//
// Extents is the type with one number for each dimension of space, as in ConvTransposeOptions: int64_t, Pair or Triple.
// It is deduced from the first argument, and is Triple where that argument is given in braces; input_size is anything
// that converts to Extents. A Triple can describe a layer of fewer dimensions, too: its first sizes are 1 then, its
// first paddings are 0, and the result is for ConvTranspose(options, 1) or ConvTranspose(options, 2).

// The attributes of the ONNX operator ConvTranspose, with their names and defaults, except that kernel_shape must be
// given. The operator's weights have the order of ConvTranspose's weights.
template<typename Extents>
struct BasicOnnxConvTranspose {
    std::string auto_pad = "NOTSET";  // NOTSET, SAME_UPPER, SAME_LOWER or VALID
    Extents dilations = 1;
    int64_t group = 1;
    Extents kernel_shape = 1;
    Extents output_padding = 0;
    std::optional<Extents> output_shape = std::nullopt;  // spatial sizes only, without batch and channels
    // The paddings at the beginning of each dimension, then those at the end of each.
    std::optional<std::array<int64_t, 2 * sizeof(Extents) / sizeof(int64_t)>> pads = std::nullopt;
    Extents strides = 1;
};

using OnnxConvTranspose1d = BasicOnnxConvTranspose<int64_t>;
using OnnxConvTranspose2d = BasicOnnxConvTranspose<Pair>;
using OnnxConvTranspose = BasicOnnxConvTranspose<Triple>;

// Converts the attributes of the ONNX operator ConvTranspose. The rule is that of the operator's documentation,
// https://onnx.ai/onnx/operators/onnx__ConvTranspose.html. With
//
//   size = strides * (input_size - 1) + output_padding + (kernel_shape - 1) * dilations + 1
//
// for the outputs that there are before any are cut off, the output is size - beginning - end, where the two paddings
// are these:
//
// - Without output_shape, NOTSET takes the pads as they are, or 0 if there are none, and VALID takes 0. Pads may not be
//   given together with another auto_pad than NOTSET.
// - With output_shape, whatever the pads are, total_padding = size - output_shape.
// - With SAME_UPPER or SAME_LOWER and no output_shape, total_padding = max(size - input_size * strides, 0).
//
// In the last two cases, SAME_UPPER puts total_padding / 2, rounded down, at the beginning, and the rest at the end.
// All others put total_padding / 2, rounded down, at the end, and the rest at the beginning. A negative total_padding
// adds outputs that no tap reaches: SAME adds them at both ends by the same rule, as ONNX's reference implementation
// does (ONNX Runtime adds them at the end), and NOTSET and VALID add them at the end, as both do.
//
// The result is for inputs of this size only, unless pads or VALID alone determine the paddings.
template<typename Extents = Triple>
ConvTransposeOptions<Extents> from_onnx(const BasicOnnxConvTranspose<Extents> &attributes, int64_t in_channels,
                                        int64_t out_channels, bool bias, const std::common_type_t<Extents> &input_size);

// The arguments of TensorFlow's tf.nn.conv3d_transpose and of Keras' Conv3DTranspose, or of the functions and layers of
// two dimensions and one. None of them has groups. Their filter has the order (depth, height, width, output channel,
// input channel), and is not turned around; their data format NDHWC, NHWC or NWC is the layout ndhwc.
template<typename Extents>
struct BasicTensorFlowConvTranspose {
    Extents kernel_size = 1;
    Extents strides = 1;
    std::string padding = "VALID";  // VALID or SAME, or either in lower case
    Extents dilations = 1;
    // The spatial sizes of TensorFlow's output_shape, or those that Keras' output_padding leads to.
    std::optional<Extents> output_size = std::nullopt;
};

using TensorFlowConvTranspose1d = BasicTensorFlowConvTranspose<int64_t>;
using TensorFlowConvTranspose2d = BasicTensorFlowConvTranspose<Pair>;
using TensorFlowConvTranspose = BasicTensorFlowConvTranspose<Triple>;

// Converts arguments of TensorFlow or Keras. They describe the gradient of a convolution from output_size to
// input_size, and the padding is that of this convolution. With extent = (kernel_size - 1) * dilations + 1:
//
// - An output_size that is not given is that of Keras' function deconv_output_length: with SAME input_size * strides,
//   with VALID input_size * strides + max(extent - strides, 0).
// - The output_size has to fit, or else InvalidArgument is thrown: input_size must be output_size / strides with SAME,
//   and (output_size - extent + 1) / strides with VALID, both rounded up.
// - SAME pads total = max((input_size - 1) * strides + extent - output_size, 0), of which total / 2, rounded down, is
//   at the beginning. VALID pads nothing. The last two rules are those of TensorFlow's GetWindowedOutputSizeVerbose in
//   tensorflow/core/framework/kernel_shape_util.cc.
//
// The result is for inputs of this size only.
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
    Extents dilates = 0;    // dilation - 1: gaps between neighbouring elements of the kernel, in elements
    Extents padding_l = 0;  // outputs cut off at the beginning, or added there if this is negative
    Extents padding_r = 0;  // outputs cut off at the end, or added there if this is negative
    int64_t groups = 1;
};

using OneDnnDeconvolution1d = BasicOneDnnDeconvolution<int64_t>;
using OneDnnDeconvolution2d = BasicOneDnnDeconvolution<Pair>;
using OneDnnDeconvolution = BasicOneDnnDeconvolution<Triple>;

// Converts the parameters of a oneDNN primitive. The result is for inputs of any size, and has the output of
// https://uxlfoundation.github.io/oneDNN/dev_guide_deconvolution.html:
//
//   output = (input - 1) * strides + (kernel - 1) * (dilates + 1) + 1 - padding_l - padding_r
template<typename Extents = Triple>
ConvTransposeOptions<Extents> from_onednn(const BasicOneDnnDeconvolution<Extents> &primitive, int64_t in_channels,
                                          int64_t out_channels, bool bias);

}  // namespace unstride

#endif
