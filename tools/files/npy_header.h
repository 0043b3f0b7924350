#ifndef UNSTRIDE_TOOLS_NPY_HEADER_H
#define UNSTRIDE_TOOLS_NPY_HEADER_H

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace unstride::tools {

// The dictionary at the beginning of a .npy file, such as {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }.
struct NpyHeader {
    std::string dtype;  // '<f4' without its quotes, or the whole list of a structured type
    bool fortran_order = false;
    std::vector<int64_t> sizes;
};

// Reads a dictionary of exactly these three keys, in any order, with sizes from 0 to 2^63 - 1. Throws
// std::runtime_error for any other text.
NpyHeader parse_npy_header(std::string_view text);

}  // namespace unstride::tools

#endif
