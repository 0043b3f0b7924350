#ifndef UNSTRIDE_REGISTER_H
#define UNSTRIDE_REGISTER_H

#include <cstdint>
#include <string>
#include <vector>

#include "unstride/conv_transpose3d.h"

struct halide_buffer_t;

namespace unstride {

// The one signature of all kernels; generators/transposed_convolution.cpp documents the arguments.
using Kernel = int (*)(const void *user_context, halide_buffer_t *input, halide_buffer_t *weight, halide_buffer_t *bias,
                       int32_t padding_x, int32_t padding_y, int32_t padding_z,     //
                       int32_t dilation_x, int32_t dilation_y, int32_t dilation_z,  //
                       int32_t stride_x, int32_t stride_y, int32_t stride_z,        //
                       int32_t common_x, int32_t common_y, int32_t common_z,        //
                       int32_t inverse_x, int32_t inverse_y, int32_t inverse_z,     //
                       int32_t rows_per_task, int32_t slices_per_task, int32_t items_per_task, int32_t blocks_per_task, halide_buffer_t *output);

// A kernel that was compiled for one layer; its fields are those of Variant.
struct LayerKernel {
    std::string name, family;
    Layout layout;
    std::string isa;
    int stride_x, block, columns;
    Kernel kernel;
};

// Adds kernels to the catalog, and returns how many. The code that CMake's unstride_add_layer generates calls it before main, and
// nobody else needs to; variants() may not be in use in another thread meanwhile. Throws InvalidArgument for a layer that does not
// exist, and for a name that the catalog has already.
int register_layer(const ConvTranspose3dOptions &layer, const std::vector<LayerKernel> &kernels);

}  // namespace unstride

#endif
