#ifndef UNSTRIDE_OPTIONS_H
#define UNSTRIDE_OPTIONS_H

#include <cstdint>
#include <optional>
#include <string>

namespace unstride {

// One number for height and width, or two.
struct Pair {
    int64_t height, width;

    Pair(int64_t all)  // NOLINT(google-explicit-constructor): kernel_size=3 should read as in PyTorch
        : Pair(all, all) {
    }
    Pair(int64_t h, int64_t w) : height(h), width(w) {
    }
};

// One number for depth, height and width, or three.
struct Triple {
    int64_t depth, height, width;

    Triple(int64_t all)  // NOLINT(google-explicit-constructor)
        : Triple(all, all, all) {
    }
    Triple(int64_t d, int64_t h, int64_t w) : depth(d), height(h), width(w) {
    }
    int64_t operator[](int dimension) const {
        return dimension == 0 ? depth : dimension == 1 ? height : width;
    }
};

// The ten parameters of torch.nn.ConvTranspose1d, 2d or 3d, under their names and with their defaults, and one more.
// Extents are a number for each dimension of space: an int64_t for the length, a Pair or a Triple.
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

    // What is cut off at the far end of each dimension, where that is not `padding`, which then is what is cut off at
    // the beginning. Where it is given, both may be below 0, and outputs are added there, as many as one likes: those
    // that no tap reaches are the bias. unstride/frameworks.h works them out for other frameworks' layers.
    std::optional<Extents> padding_end = std::nullopt;
};

using ConvTranspose1dOptions = ConvTransposeOptions<int64_t>;
using ConvTranspose2dOptions = ConvTransposeOptions<Pair>;
using ConvTranspose3dOptions = ConvTransposeOptions<Triple>;

}  // namespace unstride

#endif
