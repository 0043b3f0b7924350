#ifndef UNSTRIDE_OPTIONS_H
#define UNSTRIDE_OPTIONS_H

#include <cstdint>
#include <optional>
#include <string>

namespace unstride {

// A number for height and one for width; a single number stands for both.
struct Pair {
    int64_t height, width;

    Pair(int64_t all)  // NOLINT(google-explicit-constructor): kernel_size=3 should read as in PyTorch
        : Pair(all, all) {
    }
    Pair(int64_t h, int64_t w) : height(h), width(w) {
    }
};

// A number for each of depth, height and width; a single number stands for all three.
struct Triple {
    int64_t depth, height, width;

    Triple(int64_t all)  // NOLINT(google-explicit-constructor)
        : Triple(all, all, all) {
    }
    Triple(int64_t d, int64_t h, int64_t w) : depth(d), height(h), width(w) {
    }
    int64_t operator[](int dimension) const {
        if (dimension == 0) {
            return depth;
        }
        return dimension == 1 ? height : width;
    }
};

// The ten parameters of torch.nn.ConvTranspose1d, 2d or 3d, with their names and defaults, and one more, padding_end.
// Extents is the type with one number for each dimension of space: int64_t (the length), Pair or Triple.
template<typename Extents>
struct ConvTransposeOptions {
    int64_t in_channels = 1;
    int64_t out_channels = 1;
    Extents kernel_size = 1;
    Extents stride = 1;
    Extents padding = 0;
    Extents output_padding = 0;
    int64_t groups = 1;
    bool bias = true;
    Extents dilation = 1;
    std::string padding_mode = "zeros";

    // The outputs that are cut off at the end of each dimension. If it is not given, that is `padding`, as in PyTorch;
    // if it is, `padding` is what is cut off at the beginning, and both may be negative. A negative padding adds
    // outputs, any number of them; those that no tap reaches are the bias. unstride/frameworks.h works out both for
    // other frameworks' layers.
    std::optional<Extents> padding_end = std::nullopt;
};

using ConvTranspose1dOptions = ConvTransposeOptions<int64_t>;
using ConvTranspose2dOptions = ConvTransposeOptions<Pair>;
using ConvTranspose3dOptions = ConvTransposeOptions<Triple>;

}  // namespace unstride

#endif
