#ifndef UNSTRIDE_REGISTER_H
#define UNSTRIDE_REGISTER_H

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "unstride/conv_transpose.h"

struct halide_buffer_t;

namespace unstride {

// The one signature that all kernels of the convolution and of its input gradient have. generators/kernel.h documents
// the arguments.
using Kernel = int (*)(const void *user_context, halide_buffer_t *input, halide_buffer_t *weight, halide_buffer_t *bias,
                       halide_buffer_t *residual, int32_t padding_x, int32_t padding_y, int32_t padding_z,  //
                       int32_t dilation_x, int32_t dilation_y, int32_t dilation_z,                          //
                       int32_t stride_x, int32_t stride_y, int32_t stride_z,                                //
                       int32_t common_x, int32_t common_y, int32_t common_z,                                //
                       int32_t inverse_x, int32_t inverse_y, int32_t inverse_z,                             //
                       bool has_residual, int32_t formula,                                                  //
                       int32_t rows_per_task, int32_t slices_per_task, int32_t items_per_task, int32_t blocks_per_task,
                       halide_buffer_t *output);

// The signature of kernels of the bias gradient. generators/bias_gradient.cpp documents the arguments.
using BiasGradientKernel = int (*)(const void *user_context, halide_buffer_t *grad_output, int32_t steps, int32_t items,
                                   halide_buffer_t *sums);

// The signature of kernels of the weight gradient. generators/weight_gradient.cpp documents the arguments.
using WeightGradientKernel = int (*)(const void *user_context, halide_buffer_t *input, halide_buffer_t *grad_output,
                                     int32_t padding_x, int32_t padding_y, int32_t padding_z,              //
                                     int32_t dilation_x, int32_t dilation_y, int32_t dilation_z,           //
                                     int32_t stride_x, int32_t stride_y, int32_t stride_z,                 //
                                     int32_t kernel_size_x, int32_t kernel_size_y, int32_t kernel_size_z,  //
                                     halide_buffer_t *partial);

// The signature of kernels of the weight gradient for GPUs, which generators/weight_gradient_gpu.cpp documents.
using WeightGradientGpuKernel = int (*)(const void *user_context, halide_buffer_t *input, halide_buffer_t *grad_output,
                                        int32_t padding_x, int32_t padding_y, int32_t padding_z,     //
                                        int32_t dilation_x, int32_t dilation_y, int32_t dilation_z,  //
                                        int32_t stride_x, int32_t stride_y, int32_t stride_z,        //
                                        int32_t run_x, int32_t run_y, int32_t run_z, int32_t run_items,
                                        int32_t kernel_size_x, int32_t kernel_size_y, halide_buffer_t *sums);

// A kernel of any operator, with the signature that this has.
using AnyKernel = std::variant<Kernel, BiasGradientKernel, WeightGradientKernel, WeightGradientGpuKernel>;

// The signature of kernels that apply an activation to outputs in memory. generators/activation.cpp documents the
// arguments.
using ActivationKernel = int (*)(const void *user_context, halide_buffer_t *input, int32_t formula,
                                 halide_buffer_t *bias, halide_buffer_t *output);

// The signature of kernels of GPUs that add up sums of chunks. generators/sum_of_chunks.cpp documents the arguments.
using SumOfChunksKernel = int (*)(const void *user_context, halide_buffer_t *chunks, halide_buffer_t *before,
                                  bool accumulate, halide_buffer_t *output);

// Runs a parallel loop of a kernel: task(user_context, i, closure) for each i from `min` to `min + size - 1`, in the
// threads of the kernel's call, which the user context tells. Returns an error of one of the tasks, or 0. Kernels call
// this in place of Halide's halide_do_par_for, whose handler belongs to the whole process and all Halide pipelines in
// it: the build renames the call in the object files of kernels (cmake/UnstrideCatalog.cmake).
extern "C" int unstride_parallel_for(void *user_context, int (*task)(void *, int, uint8_t *), int min, int size,
                                     uint8_t *closure);

// A kernel to add to the catalog that is not one of the library's own. The fields mean what those of Variant do.
struct AddedKernel {
    std::string name, family;
    Layout layout;
    std::string isa;
    int stride_x, block, columns;
    AnyKernel kernel;

    // Whether a machine, a Halide autoscheduler, scheduled the kernel. Such a kernel has parallel loops of its own, of
    // which the threads share the outermost; in ndhwc the first dimension of its buffers is that of the channels; and
    // it runs only if set_variant() asks for it, as the planner cannot estimate its time. Its object file may call
    // halide_do_par_for, if the app makes unstride_parallel_for Halide's handler.
    bool autoscheduled = false;

    Types types = {};

    std::string op = "forward";  // the operator that the kernel computes
};

// Add kernels of other libraries to the catalog, such as those for GPUs or for one layer, and return how many they
// added. Code that CMake generates calls these functions before main, and nobody else needs to. No other thread may use
// variants() meanwhile. All throw InvalidArgument for a layer that cannot be, for a name that the catalog has already,
// for a kernel family that there is not, and for an instruction set that is none of instruction_sets().
int register_kernels(const std::vector<AddedKernel> &kernels);
int register_activation(DType dtype, const std::string &isa, ActivationKernel kernel);
int register_sum_of_chunks(DType dtype, const std::string &isa, SumOfChunksKernel kernel);
int register_layer(const ConvTranspose3dOptions &layer, const std::vector<AddedKernel> &kernels);

}  // namespace unstride

#endif
