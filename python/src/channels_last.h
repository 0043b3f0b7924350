#ifndef UNSTRIDE_PYTHON_CHANNELS_LAST_H
#define UNSTRIDE_PYTHON_CHANNELS_LAST_H

#include <cstddef>
#include <cstdint>

namespace unstride::python {

// Returns whether an array's strides are those of PyTorch's channels_last, by the rule of its
// is_channels_last_strides_2d and 3d: they must not decrease from the channels, which are innermost, through the
// columns to the batch. Dimensions of one element count, too, as their strides tell in which order an array was made;
// where nothing but the batch tells the formats apart, it is contiguous. `channel` is the dimension of the channels, 0
// where there is no batch; strides may be counted in any unit.
inline bool is_channels_last(const int64_t *sizes, const int64_t *strides, size_t rank, size_t channel) {
    int64_t least = strides[channel];
    if (sizes[channel] == 0 || least <= 0) {
        return false;
    }
    const auto go_past = [&](size_t d) {
        const bool is_in_order = sizes[d] > 0 && strides[d] >= least;
        least = strides[d] * (sizes[d] > 1 ? sizes[d] : 1);
        return is_in_order;
    };
    least *= sizes[channel];
    for (size_t d = rank - 1; d > channel; d--) {
        if (!go_past(d)) {
            return false;
        }
    }
    return least != strides[channel] && (channel == 0 || go_past(0));
}

}  // namespace unstride::python

#endif
