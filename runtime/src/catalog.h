#ifndef UNSTRIDE_RUNTIME_CATALOG_H
#define UNSTRIDE_RUNTIME_CATALOG_H

#include <cstdint>
#include <string>
#include <vector>

#include "unstride/variants.h"

struct halide_buffer_t;

namespace unstride {

// The one signature of all kernels; generators/transposed_convolution.cpp documents the arguments.
using Kernel = int (*)(const void *user_context, halide_buffer_t *input, halide_buffer_t *weight, halide_buffer_t *bias,
                       int32_t padding_x, int32_t padding_y, int32_t padding_z,     //
                       int32_t dilation_x, int32_t dilation_y, int32_t dilation_z,  //
                       int32_t stride_x, int32_t stride_y, int32_t stride_z,        //
                       int32_t common_x, int32_t common_y, int32_t common_z,        //
                       int32_t inverse_x, int32_t inverse_y, int32_t inverse_z,     //
                       int32_t rows_per_task, int32_t blocks_per_task, halide_buffer_t *output);

struct Entry {
    Variant variant;
    int lanes;  // floats in a vector
    Kernel kernel;
};

// All variants of the build, in the order of schedules/catalog.txt.
const std::vector<Entry> &catalog();

// Null if there is none of this name.
const Entry *find_entry(const std::string &name);

}  // namespace unstride

#endif
