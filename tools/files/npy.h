#ifndef UNSTRIDE_TOOLS_NPY_H
#define UNSTRIDE_TOOLS_NPY_H

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "output_file.h"
#include "unstride/dtype.h"

namespace unstride::tools {

// NumPy's .npy files, versions 1.0, 2.0 and 3.0, of f32 ('<f4'), f64 ('<f8'), f16 ('<f2') and bf16 in C order. The
// format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
//
// NumPy itself has no bf16. An array of the package ml_dtypes is written as '<V2', two bytes without a meaning, and
// np.load gives '|V2', which .view(ml_dtypes.bfloat16) makes numbers of. Both are taken here for bf16; the first is
// written.
//
// Halide's halide_image_io.h will not do: it crashes or asserts on sizes that are too large or negative, takes sizes
// modulo 2^32, ignores bytes after the data, refuses headers not padded to 64 bytes (NumPy before 1.14), and does not
// say what is wrong with a file.

struct NpyArray {
    DType dtype = DType::f32;
    std::vector<int64_t> sizes;     // outermost first; empty for an array without dimensions, which has one element
    std::vector<std::byte> values;  // aligned for any type
};

// Reads a file. Throws std::runtime_error, with the file's name and what is wrong with it, for a file that cannot be
// read or is not of exactly this kind and size. Memory for the data is taken only once the file's size agrees with the
// shape.
NpyArray read_npy(const std::string &path);

// Writes a whole array to a file; the caller calls commit().
void write_npy(OutputFile &file, const std::vector<int64_t> &sizes, DType dtype, const void *values);

template<typename T>
void write_npy(OutputFile &file, const std::vector<int64_t> &sizes, const T *values) {
    write_npy(file, sizes, dtype_of<T>(), values);
}

}  // namespace unstride::tools

#endif
