#ifndef UNSTRIDE_CONV_TRANSPOSE_H
#define UNSTRIDE_CONV_TRANSPOSE_H

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "unstride/activation.h"
#include "unstride/device.h"
#include "unstride/error.h"
#include "unstride/machine.h"
#include "unstride/options.h"
#include "unstride/tensor.h"
#include "unstride/variants.h"

namespace unstride {

// Transposed convolution with the semantics of torch.nn.ConvTranspose1d, 2d and 3d. In three dimensions of space,
//
//   input   (N, in_channels, D, H, W) or (in_channels, D, H, W)
//   weight  (in_channels, out_channels / groups, kernel depth, kernel height, kernel width), always in this order
//   bias    (out_channels)
//   output  (N, out_channels, D', H', W'),  D' = (D-1)*stride - padding - padding_end + dilation*(kernel-1) +
//   output_padding + 1
//
// and in two the same without D, in one without D and H. ConvTranspose1d, 2d and 3d, below, are the classes to use
// where the number of dimensions is known when the app is compiled; they have all members of this one.
//
// Elements of input and output are f32, f64, f16 or bf16, or those of the input f16 or bf16 and those of the output
// f32: any call of any layer may have other ones. Sums are f32 and rounded once, when they are stored; where all is
// f64, they are f64, too.
//
// The const members may run in several threads at once on one layer; the others need it to themselves. Results are the
// same, bit for bit, from run to run and for any number of threads, on a GPU too.
class ConvTranspose {
public:
    // A layer of so many dimensions of space, 1 to 3. In those that it lacks, the first ones of `options`, kernel size,
    // stride and dilation are 1, and all padding is 0. Throws InvalidArgument with PyTorch's message for a parameter
    // that PyTorch refuses. The weights start as after reset_parameters(0).
    ConvTranspose(ConvTranspose3dOptions options, int spatial);

    ~ConvTranspose();
    ConvTranspose(ConvTranspose &&) noexcept;
    ConvTranspose &operator=(ConvTranspose &&) noexcept;

    int spatial() const;
    const ConvTranspose3dOptions &options() const;  // those of the constructor

    // Initializes weight and bias as `torch.manual_seed(seed); torch.nn.ConvTranspose3d(...)`, 2d or 1d, does, bit for
    // bit.
    void reset_parameters(uint64_t seed);

    // Copies weights or bias from dense memory, where T is float, double, Half or BFloat16. `shape` must be
    // weight_shape() or bias_shape(). After a change the next forward packs them anew.
    template<typename T>
    void set_weight(const T *data, const Shape &shape);
    template<typename T>
    void set_bias(const T *data, const Shape &shape);

    // What was set as f64 is rounded here, and is not where all of a call is f64.
    const std::vector<float> &weight() const;
    const std::vector<float> &bias() const;  // empty if options().bias is false
    std::vector<double> exact_weight() const;
    std::vector<double> exact_bias() const;
    Shape weight_shape() const;
    Shape bias_shape() const;  // (out_channels), or empty

    // What forward applies to each output from now on, on its way to memory; nothing at first. Throws InvalidArgument
    // for a number of slopes that does not fit, and for bounds of which the low one is above the other.
    void set_activation(Activation activation);
    const Activation &activation() const;

    // The shape of the output for an input of this shape. `output_size` is PyTorch's argument of forward: empty, or the
    // spatial sizes, or all sizes of the output (the first ones are then not looked at, as in PyTorch); it takes the
    // place of options().output_padding.
    Shape output_shape(const Shape &input_shape, const Shape &output_size = {}) const;

    // Computes into the caller's memory. The output's sizes choose the output padding, as output_size does. Input and
    // output have the same layout, which their strides tell: columns dense (stride 1 along W) or channels dense; the
    // other strides are free, but two elements of the output may not share memory. Input and output may not overlap;
    // they may be slices of the same array, as different channels of it.
    void forward(const View<const void> &input, const View<void> &output) const;

    // The same with a residual: output = activation(convolution + bias + residual). It has the output's type, sizes and
    // layout, and may be the output itself, but not overlap it otherwise.
    void forward(const View<const void> &input, const View<void> &output, const View<const void> &residual) const;

    // The same for a layer on CUDA, with pointers to that device's memory: queues the work in a stream of the thread's
    // current context, and waits for nothing. Layer, input and output have to live, and the weights to stay, until it
    // is done. The first call in a context packs and uploads the weights, for which it waits, and has the driver
    // compile the kernel.
    void forward(const View<const void> &input, const View<void> &output, CudaStream stream) const;
    void forward(const View<const void> &input, const View<void> &output, const View<const void> &residual,
                 CudaStream stream) const;

    // The same with arrays of the layer's device: queues the work, and does not wait. With OpenCL the residual may not
    // be the output itself.
    void forward(const DeviceTensor &input, DeviceTensor &output) const;
    void forward(const DeviceTensor &input, DeviceTensor &output, const DeviceTensor &residual) const;

    // Computes into a new tensor of the input's layout and type.
    Tensor forward(const View<const void> &input, const Shape &output_size = {}) const;

    // Which variant forward would run on this machine, and why; or on another, which this process need not have the
    // instructions of. What only a call knows, such as that its input is not moderate (Variant::family), does not
    // count. Throws InvalidArgument where forward would, for a machine that cannot be, and for one given to a layer on
    // a GPU. Wisdom is for this machine only.
    Plan plan(const Shape &input_shape, Layout layout, const Shape &output_size = {}, const Types &types = {}) const;
    Plan plan(const Shape &input_shape, Layout layout, const Shape &output_size, const Types &types,
              const Machine &machine) const;

    // Where forward and plan compute from now on, by default on the CPU. Without a CudaStream, input and output are the
    // process's memory on all devices: a GPU gets copies, and the output is there when forward returns. Forgets a
    // forced variant. Throws DeviceError for a GPU that is not there, or that the app has no kernels for.
    void set_device(Device device);
    Device device() const;

    // Forces forward and plan to a variant of variants(), one of the layer's device, and to tasks of at most so many
    // output rows; 0 leaves the split to the planner, an empty name the whole choice. Throws InvalidArgument for a name
    // that is not in the catalog, or that this machine or layer cannot run, for a negative number of rows, and for rows
    // of a variant that has tasks of its own: one for a GPU, or scheduled by a machine.
    //
    // What is forced runs, or forward and plan throw InvalidArgument, which names what the variant needs: its layout,
    // its types, an instruction set that is not above max_isa(); of family winograd moderate numbers (below 2^50 in
    // magnitude) in weights and input, of pairs weights that bf16 has, of quads an aligned input (its place in memory
    // and strides multiples of four elements).
    void set_variant(const std::string &name, int64_t rows_per_task = 0);

private:
    struct State;
    std::unique_ptr<State> state_;
};

// The same with the parameters of its number of dimensions.
template<typename Extents>
class BasicConvTranspose : public ConvTranspose {
public:
    using Options = ConvTransposeOptions<Extents>;

    // Throws InvalidArgument as ConvTranspose does.
    explicit BasicConvTranspose(Options options);

    // The same, with the parameters in PyTorch's order.
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
