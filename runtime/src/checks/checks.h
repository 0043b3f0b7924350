#ifndef UNSTRIDE_RUNTIME_CHECKS_CHECKS_H
#define UNSTRIDE_RUNTIME_CHECKS_CHECKS_H

#include "problem/geometry.h"
#include "unstride/batch_norm.h"
#include "unstride/conv_transpose.h"
#include "unstride/frameworks.h"

namespace unstride {

// The checks of arguments are here, with the texts of their errors. They throw InvalidArgument with PyTorch's own text
// where PyTorch refuses the same arguments. `spatial` is everywhere the number of dimensions of space of a layer or an
// array, 1 to 3.

// Returns sizes as PyTorch prints them in messages, such as [1, 16, 10, 50, 100].
std::string to_string(const Shape &shape);

// checks/options.cpp checks the parameters of a layer.

Shape weight_shape(const ConvTranspose3dOptions &options, int spatial);

void check_options(const ConvTranspose3dOptions &options, int spatial = 3);

void check_weight(const void *data, const Shape &shape, const Shape &expected);

// Checks a bias for a layer whose bias_shape() is `expected`, and whose weights have shape `weight`.
void check_bias(const void *data, const Shape &shape, const Shape &expected, const Shape &weight);

void check_activation(const Activation &activation, int64_t out_channels);

void check_batch_norm(const BatchNorm &norm, const Activation &activation, int64_t channels);

// checks/types.cpp checks the types of a call, and the type as which an array's elements are asked for.

// Messages call the arrays by these names: what is read, and what is written.
void check_types(const Types &types, const char *input = "input", const char *output = "output");
void check_element_type(DType dtype, DType asked);

// checks/resolve.cpp checks an input's shape, and works out the sizes that a layer has for it.

// Returns the geometry of a call with this input and output. The output's spatial sizes choose the output padding, if
// some output padding leads to them. Its batch and channels are left to check_output_shape. Messages call the output by
// this name.
Geometry resolve_output(const ConvTranspose3dOptions &options, const Shape &input_shape, const Shape &output_shape,
                        int spatial, const char *output_name = "output");

// Returns the geometry for an input. `output_size` is the argument of ConvTranspose::output_shape.
Geometry resolve(const ConvTranspose3dOptions &options, const Shape &input_shape, const Shape &output_size,
                 int spatial = 3);

// Throws InvalidArgument unless a layer whose call gets a CudaStream is on CUDA.
void check_on_cuda(Device device);

// Checks that a block is in the output of a whole geometry; and that an array of a call has the sizes of a block.
void check_block(const Block &outputs, const Geometry &whole, int spatial);
void check_size_of_block(const char *name, const Shape &sizes, const Block &block);

// Returns the geometry of an output of which nothing else is known: an input of the same sizes, with one channel for
// each group, and a kernel of 1. Messages call the output grad_output.
Geometry resolve_grad_output(const ConvTranspose3dOptions &options, const Shape &output_shape, int spatial);

// Checks that kernels of a device can take the sizes of an item of the batch: those for GPUs number its elements in 32
// bits, and the CPU computes larger ones in blocks.
void check_item_of(Device device, const Geometry &geometry);

// Returns the sizes of the output for an input of `rank` dimensions, of which `spatial` are dimensions of space. There
// is a batch if the input has one.
Shape shape_of_output(const Geometry &geometry, size_t rank, int spatial);

// checks/views.cpp checks the arrays of a call.

void check_sizes(const Shape &sizes, int spatial);

// Returns the layout of an input for which an output is still to be made. If both layouts are possible, that is the
// wanted one, if there is one.
Layout check_input(const View<const void> &input, const std::optional<Layout> &wanted, int spatial);

void check_output_shape(const Shape &shape, const Shape &expected);

void check_residual_type(DType dtype, DType output);
void check_residual_shape(const Shape &shape, const Shape &output);

// Which strides the arrays of a call may have: any, where those that kernels cannot take are copied block by block, or
// those of one layout, as in a GPU's memory.
enum class Strides { any, of_layout };

// Checks the views of a call, and returns the layout in which they are computed: one that all of them have, or else the
// one with least to copy. With one channel or one column, both layouts may be possible: then it is the preferred one.
// `residual` is null if there is none.
Layout check_views(const View<const void> &input, const View<void> &output, const View<const void> *residual,
                   const Shape &expected_output, Layout preferred, int spatial, Strides strides);

// checks/gradients.cpp checks the arrays of a call for a gradient. All return the call's geometry, which is the layer's
// and so has the input's and the output's sizes as in forward, and the layout, as check_views does.

struct GradientCall {
    Geometry geometry;
    Layout layout;
};

GradientCall check_input_gradient(const ConvTranspose3dOptions &options, const View<const void> &grad_output,
                                  const View<void> &grad_input, Layout preferred, int spatial, Strides strides);
GradientCall check_weight_gradient(const ConvTranspose3dOptions &options, const View<const void> &input,
                                   const View<const void> &grad_output, const View<void> &grad_weight, Layout preferred,
                                   int spatial, Strides strides);
// The geometry is that of resolve_grad_output.
GradientCall check_bias_gradient(const ConvTranspose3dOptions &options, const View<const void> &grad_output,
                                 const View<void> &grad_bias, Layout preferred, int spatial, Strides strides);

// checks/frameworks.cpp checks what other frameworks refuse, except for what check_options checks anyway.

void check_onnx(const OnnxConvTranspose &attributes, const Triple &input_size, int spatial);
void check_tensorflow(const TensorFlowConvTranspose &arguments, const Triple &input_size, int spatial);
// Checks that `convolved`, the size that a convolution makes of an output of `output_size`, is the input's size.
void check_convolved(const Triple &output_size, const Triple &convolved, const Triple &input_size, int spatial);
void check_onednn(const OneDnnDeconvolution &primitive);

}  // namespace unstride

#endif
