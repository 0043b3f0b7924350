#ifndef UNSTRIDE_CONV_TRANSPOSE_H
#define UNSTRIDE_CONV_TRANSPOSE_H

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "unstride/activation.h"
#include "unstride/block.h"
#include "unstride/device.h"
#include "unstride/error.h"
#include "unstride/machine.h"
#include "unstride/operator.h"
#include "unstride/options.h"
#include "unstride/planning.h"
#include "unstride/tensor.h"
#include "unstride/variants.h"

namespace unstride {

// A transposed convolution with the semantics of torch.nn.ConvTranspose1d, 2d and 3d. The arrays of a layer of three
// dimensions of space have the shapes
//
//   input   (N, in_channels, D, H, W) or (in_channels, D, H, W)
//   weight  (in_channels, out_channels / groups, kernel depth, kernel height, kernel width), always in this order
//   bias    (out_channels)
//   output  (N, out_channels, D', H', W') or (out_channels, D', H', W'), where
//           D' = (D-1)*stride - padding - padding_end + dilation*(kernel-1) + output_padding + 1
//
// with the numbers that options() has for depth, and H' and W' likewise from H and W; padding_end is the padding unless
// the options give another one. Shapes of a layer of two dimensions lack the depth, those of one dimension lack depth
// and height. ConvTranspose1d, 2d and 3d, below, have all members of this class, and are the ones to use where the
// number of dimensions is known when the app is compiled.
//
// The elements of input and output have one type, f32, f64, f16 or bf16, or the input is f16 or bf16 and the output
// f32. The types belong to a call: each call of a layer may have others. Sums are f32, and are rounded once, when they
// are stored. Where input and output are f64, sums are f64.
//
// The const members may run in several threads at once on one layer; the others need the layer to themselves. Results
// are the same, bit for bit, from run to run and for any number of threads, on a GPU too.
class ConvTranspose {
public:
    // Makes a layer of `spatial` dimensions of space, 1 to 3, whose weights are those of reset_parameters(0). `options`
    // has numbers for three dimensions: in the first ones, which a layer of fewer dimensions lacks, kernel size, stride
    // and dilation must be 1 and all paddings 0. Throws InvalidArgument for parameters that cannot be, with PyTorch's
    // message where PyTorch refuses them too, and OutOfMemory where the weights do not fit in memory.
    ConvTranspose(ConvTranspose3dOptions options, int spatial);

    ~ConvTranspose();
    ConvTranspose(ConvTranspose &&) noexcept;
    ConvTranspose &operator=(ConvTranspose &&) noexcept;

    int spatial() const;
    const ConvTranspose3dOptions &options() const;

    // Sets weight and bias to the values that `torch.manual_seed(seed); torch.nn.ConvTranspose3d(...)`, 2d or 1d, gives
    // them, bit for bit.
    void reset_parameters(uint64_t seed);

    // Copy the weights or the bias from dense memory, where T is float, double, Half or BFloat16. `shape` must be
    // weight_shape() or bias_shape(). The next forward packs them anew, in the order that its kernel reads. Throw
    // InvalidArgument for another shape, a null pointer, and a bias of a layer that has none.
    template<typename T>
    void set_weight(const T *data, const Shape &shape);
    template<typename T>
    void set_bias(const T *data, const Shape &shape);

    // Return the weights, in the order of weight_shape(), and the bias, which is empty if options().bias is false.
    // Values that were set as f64 are rounded to f32 here. A forward whose input and output are f64 computes with the
    // exact ones, which the next two functions return.
    const std::vector<float> &weight() const;
    const std::vector<float> &bias() const;
    std::vector<double> exact_weight() const;
    std::vector<double> exact_bias() const;
    Shape weight_shape() const;
    Shape bias_shape() const;  // (out_channels), or empty if options().bias is false

    // Sets the activation that forward applies to each output from now on, before it is stored. A new layer has none.
    // Throws InvalidArgument for a number of slopes that the kind cannot have (unstride/activation.h), and for a clamp
    // whose low bound is above the high one.
    void set_activation(Activation activation);
    const Activation &activation() const;

    // Returns the shape of the output for an input of this shape. `output_size` is PyTorch's argument of forward, which
    // takes the place of options().output_padding: empty, or the spatial sizes of the output, or all of its sizes, of
    // which batch and channels are ignored, as in PyTorch. Throws InvalidArgument, with PyTorch's message, for an input
    // that the layer cannot take and for an output size that it cannot make.
    Shape output_shape(const Shape &input_shape, const Shape &output_size = {}) const;

    // Computes activation(convolution + bias) into the caller's memory. The output's sizes choose the output padding,
    // as output_size does. Strides are free, but no two elements of the output may share memory, and input and output
    // may not overlap. They may be slices of one array, such as different channels of it. Nothing is copied where both
    // have the same layout, which their strides tell: in both, either the columns are dense (stride 1 along W) or the
    // channels are, and no stride is negative. Other arrays are copied in blocks of about 8 MiB, or refused with a
    // CudaStream. An item of the batch may have any number of elements, on a GPU 2^31 - 1.
    //
    // All overloads of forward throw InvalidArgument for arguments that break such a rule, OutOfMemory, and KernelError
    // for any other failure of a kernel.
    void forward(const View<const void> &input, const View<void> &output) const;

    // Computes activation(convolution + bias + residual) into the caller's memory. The residual must have the output's
    // type and sizes. It may be the output itself, which then is added to; otherwise the two may not overlap.
    void forward(const View<const void> &input, const View<void> &output, const View<const void> &residual) const;

    // Queue the work of a layer on CUDA in a stream of the thread's current context, and return without waiting for it.
    // The views point to memory of that device. The layer and all arrays must live, and the weights stay as they are,
    // until the work is done. Only the first call in a context waits: it packs and uploads the weights, and has the
    // driver compile the kernel.
    void forward(const View<const void> &input, const View<void> &output, CudaStream stream) const;
    void forward(const View<const void> &input, const View<void> &output, const View<const void> &residual,
                 CudaStream stream) const;

    // Queue the work of a layer on a GPU, with arrays in that device's memory, and return without waiting for it. With
    // OpenCL the residual may not be the output itself, as kernels compute some of the outputs twice there.
    void forward(const DeviceTensor &input, DeviceTensor &output) const;
    void forward(const DeviceTensor &input, DeviceTensor &output, const DeviceTensor &residual) const;

    // Returns the output as a new tensor of the input's layout and type. `output_size` is that of output_shape().
    Tensor forward(const View<const void> &input, const Shape &output_size = {}) const;

    // Returns the part of an input of shape `input_shape`, the whole one, that a block of its outputs depends on. It
    // has at least one element in each dimension, even if the block depends on none. `output_size` is that of
    // output_shape(). Throws InvalidArgument where output_shape would, and for a block that is empty or not in the
    // output. An input and an output that are larger than those of a forward can be are fine.
    Block halo(const Shape &input_shape, const Block &outputs, const Shape &output_size = {}) const;

    // Computes a block of the outputs of a whole input from the part of it that halo() returns, for arrays that are
    // computed in parts: in turn where they are larger than memory, or by several processes. `input` has the sizes of
    // that part, and `output` those of the block, with the same batch, which need not be the whole one. The outputs
    // have the bits that a forward of the whole input would give them, with one exception: if one number of the whole
    // input is not below 2^50 in magnitude, a block without it may round differently. Where minimal filters compute the
    // layer, blocks are computed without a copy if they begin at multiples of 2 * stride * dilation along depth and
    // height. A layer that measures estimates here.
    void forward_block(const View<const void> &input, const View<void> &output, const Block &outputs,
                       const Shape &input_shape, const Shape &output_size = {}) const;

    // The same, with the part of a residual that is added to the block: of its sizes and type.
    void forward_block(const View<const void> &input, const View<void> &output, const View<const void> &residual,
                       const Block &outputs, const Shape &input_shape, const Shape &output_size = {}) const;

    // Computes the gradient of a loss with respect to the input, from `grad_output`, that with respect to the
    // convolution, which has the output's shape:
    //
    //   grad_input[n, ci, i] = sum over co, k of weight[ci, co, k] * grad_output[n, co, i*stride - padding +
    //   k*dilation]
    //
    // over the channels co of ci's group, for three coordinates i and k, where that output exists. `grad_input` has the
    // input's shape, and its sizes have to fit those of grad_output as an input's fit those of the output. An
    // activation and a residual are the app's own: with them, grad_output is the gradient with respect to their
    // argument, the convolution and its bias. Inputs that no output depends on have gradient 0.
    //
    // Views are as in forward: any strides, no overlap. grad_output and grad_input have one type; in
    // a layer whose strides are all 1, grad_output may also be f16 or bf16, and grad_input f32. Sums are f32, or f64
    // where both are f64. All members that compute a gradient throw what forward throws. Where a kernel fails, as for
    // want of memory, part of the gradient may have been written.
    void input_gradient(const View<const void> &grad_output, const View<void> &grad_input,
                        Update update = Update::replace) const;
    void input_gradient(const View<const void> &grad_output, const View<void> &grad_input, Update update,
                        CudaStream stream) const;

    // Computes the gradient of a loss with respect to the weights, which does not depend on these:
    //
    //   grad_weight[ci, co, k] = sum over n, i of input[n, ci, i] * grad_output[n, co, i*stride - padding + k*dilation]
    //
    // where that output exists, for ci and co of one group. `input` and `grad_output` have the same type.
    // `grad_weight` has weight_shape(), any strides whose elements do not overlap, and the type of the input, or f32
    // for an input of f16 or bf16. Sums are f32, or f64 for f64, over the whole batch, and are rounded once. They are
    // added up in an order that the layer and the input's size alone determine. Taps that meet no output, and an empty
    // batch, have gradient 0. On a GPU, an array may have 2^31 - 1 elements.
    void weight_gradient(const View<const void> &input, const View<const void> &grad_output,
                         const View<void> &grad_weight, Update update = Update::replace) const;
    void weight_gradient(const View<const void> &input, const View<const void> &grad_output,
                         const View<void> &grad_weight, Update update, CudaStream stream) const;

    // Computes the gradient of a loss with respect to the bias, grad_bias[co] = sum over n, o of grad_output[n, co, o]
    // of all outputs o, those included that no tap reaches. `grad_bias` has shape (out_channels), any stride, and the
    // type of grad_output, or f32 where that is f16 or bf16. The layer need not have a bias.
    void bias_gradient(const View<const void> &grad_output, const View<void> &grad_bias,
                       Update update = Update::replace) const;
    void bias_gradient(const View<const void> &grad_output, const View<void> &grad_bias, Update update,
                       CudaStream stream) const;

    // Returns which variant forward would run for an input of this shape, layout and types, and why. A plan knows the
    // weights, but not the elements and addresses of an input: it assumes that these meet what the variant needs
    // (set_variant lists that), and a forward where they do not runs another variant. Throws InvalidArgument where
    // forward would.
    Plan plan(const Shape &input_shape, Layout layout, const Shape &output_size = {}, const Types &types = {},
              Operator op = Operator::forward) const;
    // Returns the plan that this layer, which must be on the CPU, would have on another machine. This process need not
    // have that machine's instructions. Wisdom counts only if that is the machine that the process runs on. Throws
    // InvalidArgument where forward would, for a machine that cannot be, and for a layer on a GPU.
    Plan plan(const Shape &input_shape, Layout layout, const Shape &output_size, const Types &types,
              const Machine &machine, Operator op = Operator::forward) const;

    // Sets the device on which forward computes, and for which plan plans, from now on. A new layer is on the CPU.
    // Views that forward gets without a CudaStream are in the process's memory for all devices: a layer on a GPU copies
    // them there and back, and the output is complete when forward returns. A forced variant is forgotten. Throws
    // DeviceError for a GPU that is not there, or that the app has no kernels for.
    void set_device(Device device);
    Device device() const;

    // Forces the operator of the variant of this name, one of variants() for the layer's device, and its plan to that
    // variant, and to tasks of at most `rows_per_task` output rows. 0 rows leave the split to the planner, and an empty
    // name leaves it the whole choice, for all operators. Throws InvalidArgument for a name that is not in the catalog,
    // for a variant that this machine or layer cannot run, for a negative number of rows, and for rows without a
    // variant or with one that splits its work by itself, as those for a GPU and those scheduled by a machine do.
    //
    // No other variant runs while one is forced: where it cannot, forward and plan throw an InvalidArgument that names
    // what it needs. Every variant needs its layout, its types, and an instruction set that is not above max_isa().
    // Those of family winograd need moderate numbers (below 2^50 in magnitude) in weights and input. Those of family
    // pairs need weights that bf16 can hold without rounding, and that are not subnormal in it. Those of family quads
    // need an aligned input, whose address and strides are multiples of four elements. Those of family in_place need a
    // number of channels that is a multiple of their block.
    void set_variant(const std::string &name, int64_t rows_per_task = 0);

    // Forces one operator, whatever is forced for others; an empty name leaves its choice to the planner again. The
    // input gradient of a layer whose strides are 1 has the variants of forward beside its own. Throws InvalidArgument
    // as above, and for a variant that does not compute the operator.
    void set_variant(const std::string &name, int64_t rows_per_task, Operator op);

    // Sets how the variants for calls on the CPU are found (unstride/planning.h). A new layer has the value of the
    // environment variable UNSTRIDE_PLANNING, `estimate`, `measure` or `remember`, and estimates if it is not set or
    // empty; for any other value the constructor throws InvalidArgument. Measuring begins anew for a new value, and
    // where the wisdom, the number of threads or the ceiling of instruction sets changes. A forced variant stays
    // forced, and a layer on a GPU estimates, whatever the value is.
    void set_planning(Planning planning);
    Planning planning() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

// A ConvTranspose whose number of dimensions is known when the app is compiled: Extents, which has a number for each of
// them, is int64_t, Pair or Triple. Its options have that type, too.
template<typename Extents>
class BasicConvTranspose : public ConvTranspose {
public:
    using Options = ConvTransposeOptions<Extents>;

    // Throws InvalidArgument as ConvTranspose does.
    explicit BasicConvTranspose(Options options);

    // Takes the parameters in PyTorch's order. Throws InvalidArgument as ConvTranspose does.
    BasicConvTranspose(int64_t in_channels, int64_t out_channels, Extents kernel_size, Extents stride = 1,
                       Extents padding = 0, Extents output_padding = 0, int64_t groups = 1, bool bias = true,
                       Extents dilation = 1, std::string padding_mode = "zeros");

    const Options &options() const {
        return options_;
    }

private:
    Options options_;
};

extern template class BasicConvTranspose<int64_t>;
extern template class BasicConvTranspose<Pair>;
extern template class BasicConvTranspose<Triple>;

using ConvTranspose1d = BasicConvTranspose<int64_t>;
using ConvTranspose2d = BasicConvTranspose<Pair>;
using ConvTranspose3d = BasicConvTranspose<Triple>;

}  // namespace unstride

#endif
