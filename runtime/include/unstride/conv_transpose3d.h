#ifndef UNSTRIDE_CONV_TRANSPOSE3D_H
#define UNSTRIDE_CONV_TRANSPOSE3D_H

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "unstride/device.h"
#include "unstride/error.h"
#include "unstride/tensor.h"
#include "unstride/variants.h"

namespace unstride {

// One number for depth, height and width, or three.
struct Triple {
    int64_t depth, height, width;

    Triple(int64_t all)  // NOLINT(google-explicit-constructor): kernel_size=3 should read as in PyTorch
        : Triple(all, all, all) {
    }
    Triple(int64_t d, int64_t h, int64_t w)
        : depth(d), height(h), width(w) {
    }
    int64_t operator[](int dimension) const {
        return dimension == 0 ? depth : dimension == 1 ? height
                                                       : width;
    }
};

// The ten parameters of torch.nn.ConvTranspose3d, under its names and with its defaults, and one more.
struct ConvTranspose3dOptions {
    int64_t in_channels = 1;
    int64_t out_channels = 1;
    Triple kernel_size = 1;
    Triple stride = 1;
    Triple padding = 0;
    Triple output_padding = 0;
    int64_t groups = 1;
    bool bias = true;
    Triple dilation = 1;
    std::string padding_mode = "zeros";

    // What is cut off at the far end of each dimension, where that is not `padding`. Below 0, outputs are added there, as many as one likes:
    // those that no tap reaches are the bias. unstride/frameworks.h works it out for other frameworks' layers.
    std::optional<Triple> padding_end = std::nullopt;
};

// Transposed 3-D convolution with the semantics of torch.nn.ConvTranspose3d, in f32.
//
//   input   (N, in_channels, D, H, W) or (in_channels, D, H, W)
//   weight  (in_channels, out_channels / groups, kernel depth, kernel height, kernel width), always in this order
//   bias    (out_channels)
//   output  (N, out_channels, D', H', W'),  D' = (D-1)*stride - padding - padding_end + dilation*(kernel-1) + output_padding + 1
//
// The const members may run in several threads at once on one layer; the others need it to themselves. Results are the
// same, bit for bit, from run to run and for any number of threads, on a GPU too.
class ConvTranspose3d {
public:
    // Throws InvalidArgument with PyTorch's message for a parameter that PyTorch refuses. The weights start as after
    // reset_parameters(0).
    explicit ConvTranspose3d(ConvTranspose3dOptions options);

    // The same, with the parameters in PyTorch's order.
    ConvTranspose3d(int64_t in_channels, int64_t out_channels, Triple kernel_size, Triple stride = 1,
                    Triple padding = 0, Triple output_padding = 0, int64_t groups = 1, bool bias = true,
                    Triple dilation = 1, std::string padding_mode = "zeros");

    ~ConvTranspose3d();
    ConvTranspose3d(ConvTranspose3d &&) noexcept;
    ConvTranspose3d &operator=(ConvTranspose3d &&) noexcept;

    const ConvTranspose3dOptions &options() const;

    // Initializes weight and bias as `torch.manual_seed(seed); torch.nn.ConvTranspose3d(...)` does, bit for bit.
    void reset_parameters(uint64_t seed);

    // Copies weights or bias from dense memory. `shape` must be weight_shape() or bias_shape(). After a change the next
    // forward packs them anew.
    void set_weight(const float *data, const Shape &shape);
    void set_bias(const float *data, const Shape &shape);

    const std::vector<float> &weight() const;
    const std::vector<float> &bias() const;  // empty if options().bias is false
    Shape weight_shape() const;
    Shape bias_shape() const;  // (out_channels), or empty

    // The shape of the output for an input of this shape. `output_size` is PyTorch's argument of forward: empty, or the
    // 3 spatial sizes, or all sizes of the output (the first ones are then not looked at, as in PyTorch); it takes the place
    // of options().output_padding.
    Shape output_shape(const Shape &input_shape, const Shape &output_size = {}) const;

    // Computes into the caller's memory. The output's sizes choose the output padding, as output_size does. Input and
    // output have the same layout, which their strides tell: columns dense (stride 1 along W) or channels dense; the other
    // strides are free, but two elements of the output may not share memory. Input and output may not overlap.
    void forward(const View<const float> &input, const View<float> &output) const;

    // The same for a layer on CUDA, with pointers to that device's memory: queues the work in a stream of the thread's current context,
    // and waits for nothing. Layer, input and output have to live, and the weights to stay, until it is done. The first call in a context packs
    // and uploads the weights, for which it waits, and has the driver compile the kernel.
    void forward(const View<const float> &input, const View<float> &output, CudaStream stream) const;

    // The same with arrays of the layer's device: queues the work, and does not wait.
    void forward(const DeviceTensor &input, DeviceTensor &output) const;

    // Computes into a new tensor of the input's layout.
    Tensor forward(const View<const float> &input, const Shape &output_size = {}) const;

    // Which variant forward would run, and why.
    Plan plan(const Shape &input_shape, Layout layout, const Shape &output_size = {}) const;

    // Where forward and plan compute from now on, by default on the CPU. Without a CudaStream, input and output are the process's memory
    // on all devices: a GPU gets copies, and the output is there when forward returns. Forgets a forced variant. Throws DeviceError for a
    // GPU that is not there, or that the app has no kernels for.
    void set_device(Device device);
    Device device() const;

    // Forces forward and plan to a variant of variants(), one of the layer's device, for inputs of its layout, and to tasks of so many
    // output rows; 0 leaves the split to the planner, an empty name the whole choice. Throws InvalidArgument for a name that is not in the catalog,
    // or that this machine or layer cannot run, and for a negative number of rows.
    void set_variant(const std::string &name, int64_t rows_per_task = 0);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace unstride

#endif
