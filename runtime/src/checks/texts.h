#ifndef UNSTRIDE_RUNTIME_CHECKS_TEXTS_H
#define UNSTRIDE_RUNTIME_CHECKS_TEXTS_H

#include <algorithm>
#include <array>
#include <string>

#include "checks/checks.h"

namespace unstride {

// The checks of checks/checks.h share limits, simple checks, and functions that write numbers as PyTorch's messages do.

// Kernels compute coordinates in 32 bits. The largest numbers that they form are an output plus a padding, which is at
// most 3 * largest_extent, and the square of a stride (generators/axis.h).
constexpr int64_t largest_extent = int64_t{1} << 29;
constexpr int64_t largest_stride = 32768;

[[noreturn]] inline void fail(const std::string &message) {
    throw InvalidArgument(message);
}

inline void check_spatial(int spatial) {
    if (spatial < 1 || spatial > 3) {
        fail("1, 2 or 3 dimensions of space are supported, but got " + std::to_string(spatial));
    }
}

inline void check_data(const char *name, const void *data) {
    if (data == nullptr) {
        fail(std::string(name) + " is null");
    }
}

inline int64_t smallest(const Triple &t) {
    return std::min({t.depth, t.height, t.width});
}

inline Triple end_padding(const ConvTranspose3dOptions &o) {
    return o.padding_end.value_or(o.padding);
}

// Returns the first dimension of space that a text names. A text about a layer of one dimension names two, as in
// PyTorch, which computes such a layer as one of two dimensions.
inline int first_named(int spatial) {
    return 3 - std::max(spatial, 2);
}

// Returns three numbers as in "stride_depth: 1 stride_height: 2 stride_width: 2", for the name "stride".
inline std::string numbers(const char *name, const Triple &t, int spatial, const char *separator = " ") {
    constexpr std::array<const char *, 3> dimensions = {"_depth: ", "_height: ", "_width: "};
    std::string text;
    for (int d = first_named(spatial); d < 3; d++) {
        text += (text.empty() ? "" : separator) + std::string(name) + dimensions[d] + std::to_string(t[d]);
    }
    return text;
}

// Returns spatial sizes as in "(4 x 8 x 8)".
template<typename Sizes>
std::string volume(const Sizes &sizes, int spatial = 3) {
    std::string text;
    for (int d = first_named(spatial); d < 3; d++) {
        text += (text.empty() ? "(" : " x ") + std::to_string(sizes[d]);
    }
    return text + ")";
}

// Returns the end of the name of PyTorch's layer of this number of dimensions, such as "3d".
inline std::string suffix(int spatial, char d = 'd') {
    return std::to_string(spatial) + d;
}

}  // namespace unstride

#endif
