#ifndef UNSTRIDE_TOOLS_NPY_H
#define UNSTRIDE_TOOLS_NPY_H

#include <cstdint>
#include <string>
#include <vector>

#include "output_file.h"

namespace unstride::tools {

// NumPy's .npy files, versions 1.0, 2.0 and 3.0, of f32 ('<f4') in C order. The format:
// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
//
// Not Halide's halide_image_io.h: it crashes or asserts on sizes that are too large or negative, takes sizes modulo
// 2^32, ignores bytes after the data, refuses headers not padded to 64 bytes (NumPy before 1.14), and does not say what
// is wrong with a file.

struct NpyArray {
    std::vector<int64_t> sizes;  // outermost first; empty for an array without dimensions, which has one element
    std::vector<float> values;
};

// Throws std::runtime_error, with the file's name and what is wrong with it, for a file that cannot be read or is not
// of exactly this kind and size. Memory for the data is taken only once the file's size agrees with the shape.
NpyArray read_npy(const std::string &path);

// Writes a whole array; commit() is left to the caller.
void write_npy(OutputFile &file, const std::vector<int64_t> &sizes, const float *values);

}  // namespace unstride::tools

#endif
