#ifndef UNSTRIDE_RUNTIME_CHECKS_CHECKS_H
#define UNSTRIDE_RUNTIME_CHECKS_CHECKS_H

#include "problem/geometry.h"
#include "unstride/batch_norm.h"
#include "unstride/conv_transpose.h"
#include "unstride/frameworks.h"

namespace unstride {

// Every check of arguments, and every text that an app may see because of one. PyTorch's own text where it has one.
// All throw InvalidArgument.

// Layers and arrays have so many dimensions of space as `spatial` says: 1 to 3.

// Sizes for a message, as PyTorch prints them: [1, 16, 10, 50, 100].
std::string to_string(const Shape &shape);

// Of a layer: validation_layer.cpp.

Shape weight_shape(const ConvTranspose3dOptions &options, int spatial);

void check_options(const ConvTranspose3dOptions &options, int spatial = 3);

void check_weight(const void *data, const Shape &shape, const Shape &expected);

// `expected` is empty if the layer has no bias.
void check_bias(const void *data, const Shape &shape, const Shape &expected, const Shape &weight);

void check_activation(const Activation &activation, int64_t out_channels);

void check_batch_norm(const BatchNorm &norm, const Activation &activation, int64_t channels);

// Of a call, and of an array's elements that are asked for: validation_types.cpp.

void check_types(const Types &types);
void check_element_type(DType dtype, DType asked);

// Of a layer and its input: validation_geometry.cpp.

// For an output that is there, and whose sizes choose the output padding if they can. Its batch and channels are not
// looked at.
Geometry resolve_output(const ConvTranspose3dOptions &options, const Shape &input_shape, const Shape &output_shape,
                        int spatial);

// `output_size` as in ConvTranspose::output_shape.
Geometry resolve(const ConvTranspose3dOptions &options, const Shape &input_shape, const Shape &output_size,
                 int spatial = 3);

// Of arrays: validation_views.cpp.

void check_sizes(const Shape &sizes, int spatial);

// Which layout an input has, for an output that is still to be made: the one that is wanted if it can have that.
Layout check_input(const View<const void> &input, const std::optional<Layout> &wanted, int spatial);

void check_output_shape(const Shape &shape, const Shape &expected);

void check_residual_type(DType dtype, DType output);
void check_residual_shape(const Shape &shape, const Shape &output);

// Which layout both views have. Ambiguous views, with one channel or one column, count as `preferred` if they can.
// `residual` is null if there is none.
Layout check_views(const View<const void> &input, const View<void> &output, const View<const void> *residual,
                   const Shape &expected_output, Layout preferred, int spatial);

// What other frameworks refuse, apart from what check_options does: validation_frameworks.cpp.

void check_onnx(const OnnxConvTranspose &attributes, const Triple &input_size, int spatial);
void check_tensorflow(const TensorFlowConvTranspose &arguments, const Triple &input_size, int spatial);
void check_convolved(const Triple &output_size, const Triple &convolved, const Triple &input_size,
                     int spatial);  // the latter two have to agree
void check_onednn(const OneDnnDeconvolution &primitive);

}  // namespace unstride

#endif
