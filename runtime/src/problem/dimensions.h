#ifndef UNSTRIDE_RUNTIME_PROBLEM_DIMENSIONS_H
#define UNSTRIDE_RUNTIME_PROBLEM_DIMENSIONS_H

#include <cstdint>
#include <optional>

#include "unstride/options.h"

namespace unstride {

// All layers are computed as layers of three dimensions of space. `lifted` makes extents of fewer dimensions three,
// with `missing` in the first ones, and `lowered` takes the last ones of three.

// The number of dimensions of space that Extents, which is int64_t, Pair or Triple, has a number for.
template<typename Extents>
constexpr int spatial_dimensions = sizeof(Extents) / sizeof(int64_t);

inline Triple lifted(int64_t length, int64_t missing) {
    return {missing, missing, length};
}

inline Triple lifted(const Pair &plane, int64_t missing) {
    return {missing, plane.height, plane.width};
}

inline Triple lifted(const Triple &volume, int64_t /*missing*/) {
    return volume;
}

template<typename Extents>
std::optional<Triple> lifted(const std::optional<Extents> &extents, int64_t missing) {
    return extents ? std::optional(lifted(*extents, missing)) : std::nullopt;
}

template<typename Extents>
ConvTranspose3dOptions lifted(const ConvTransposeOptions<Extents> &o) {
    return {o.in_channels,
            o.out_channels,
            lifted(o.kernel_size, 1),
            lifted(o.stride, 1),
            lifted(o.padding, 0),
            lifted(o.output_padding, 0),
            o.groups,
            o.bias,
            lifted(o.dilation, 1),
            o.padding_mode,
            lifted(o.padding_end, 0)};
}

template<typename Extents>
Extents lowered(const Triple &t) {
    if constexpr (spatial_dimensions<Extents> == 1) {
        return t.width;
    } else if constexpr (spatial_dimensions<Extents> == 2) {
        return {t.height, t.width};
    } else {
        return t;
    }
}

template<typename Extents>
ConvTransposeOptions<Extents> lowered(const ConvTranspose3dOptions &o) {
    return {o.in_channels,
            o.out_channels,
            lowered<Extents>(o.kernel_size),
            lowered<Extents>(o.stride),
            lowered<Extents>(o.padding),
            lowered<Extents>(o.output_padding),
            o.groups,
            o.bias,
            lowered<Extents>(o.dilation),
            o.padding_mode,
            o.padding_end ? std::optional(lowered<Extents>(*o.padding_end)) : std::nullopt};
}

}  // namespace unstride

#endif
