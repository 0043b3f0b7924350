#ifndef UNSTRIDE_REGISTER_H
#define UNSTRIDE_REGISTER_H

#include <cstdint>
#include <string>
#include <vector>

#include "unstride/conv_transpose.h"

struct halide_buffer_t;

namespace unstride {

// The one signature of all kernels; generators/kernel.h documents the arguments.
using Kernel = int (*)(const void *user_context, halide_buffer_t *input, halide_buffer_t *weight, halide_buffer_t *bias,
                       halide_buffer_t *residual, int32_t padding_x, int32_t padding_y, int32_t padding_z,  //
                       int32_t dilation_x, int32_t dilation_y, int32_t dilation_z,                          //
                       int32_t stride_x, int32_t stride_y, int32_t stride_z,                                //
                       int32_t common_x, int32_t common_y, int32_t common_z,                                //
                       int32_t inverse_x, int32_t inverse_y, int32_t inverse_z,                             //
                       bool has_residual, int32_t formula,                                                  //
                       int32_t rows_per_task, int32_t slices_per_task, int32_t items_per_task, int32_t blocks_per_task,
                       halide_buffer_t *output);

// generators/activation.cpp documents these.
using ActivationKernel = int (*)(const void *user_context, halide_buffer_t *input, int32_t formula,
                                 halide_buffer_t *bias, halide_buffer_t *output);

// What kernels call for a parallel loop, in place of Halide's halide_do_par_for, whose handler belongs to the process
// and its pipelines; the user context is that of their call. Returns the first error of a task, or 0. The build renames
// the call in the objects of kernels: cmake/UnstrideCatalog.cmake.
extern "C" int unstride_parallel_for(void *user_context, int (*task)(void *, int, uint8_t *), int min, int size,
                                     uint8_t *closure);

// A kernel that is not the library's own; its fields are those of Variant.
struct AddedKernel {
    std::string name, family;
    Layout layout;
    std::string isa;
    int stride_x, block, columns;
    Kernel kernel;

    // Scheduled by a machine: its parallel loops are its own, of which the threads share the outermost; in ndhwc the
    // first dimension of its buffers is the channels'; and it runs only where set_variant() asks for it, as the planner
    // knows nothing of its time. Its object may call halide_do_par_for, if the app makes unstride_parallel_for Halide's
    // handler.
    bool autoscheduled = false;

    Types types = {};
};

// Add kernels to the catalog, those of the libraries for GPUs or for one layer, and return how many. Code that CMake
// generates calls them before main, and nobody else needs to; variants() may not be in use in another thread meanwhile.
// Throw InvalidArgument for a layer that does not exist, for a name that the catalog has already, and for an
// instruction set that is none of instruction_sets().
int register_kernels(const std::vector<AddedKernel> &kernels);
int register_activation(DType dtype, const std::string &isa, ActivationKernel kernel);
int register_layer(const ConvTranspose3dOptions &layer, const std::vector<AddedKernel> &kernels);

}  // namespace unstride

#endif
