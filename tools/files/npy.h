#ifndef UNSTRIDE_TOOLS_NPY_H
#define UNSTRIDE_TOOLS_NPY_H

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "output_file.h"
#include "unstride/dtype.h"

namespace unstride::tools {

// NumPy's .npy files, versions 1.0, 2.0 and 3.0, of f32 ('<f4'), f64 ('<f8'), f16 ('<f2') and bf16. The
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
    std::vector<int64_t> sizes;    // outermost first; empty for an array without dimensions, which has one element
    std::vector<int64_t> strides;  // in elements: those of C order, or of Fortran order
    std::shared_ptr<const void> values;  // aligned for the type; pages of the file, where they can be
};

// Maps a file into memory, which reads what is used and when it is used. Throws std::runtime_error, with the file's
// name and what is wrong with it, for a file that cannot be read or is not of exactly this kind and size. A program
// that makes the file shorter meanwhile ends this process.
NpyArray read_npy(const std::string &path);

// Returns the array with its elements in C order, copied if they are not.
NpyArray in_c_order(const NpyArray &array);

// Writes a whole array to a file; the caller calls commit().
void write_npy(OutputFile &file, const std::vector<int64_t> &sizes, DType dtype, const void *values);

// Returns memory for the elements of an array in C order, which become the file's. It is valid until commit().
void *map_npy(OutputFile &file, const std::vector<int64_t> &sizes, DType dtype);

template<typename T>
void write_npy(OutputFile &file, const std::vector<int64_t> &sizes, const T *values) {
    write_npy(file, sizes, dtype_of<T>(), values);
}

}  // namespace unstride::tools

#endif
