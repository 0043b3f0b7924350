#ifndef UNSTRIDE_RUNTIME_KERNELS_MINIMAL_FILTERS_H
#define UNSTRIDE_RUNTIME_KERNELS_MINIMAL_FILTERS_H

#include <algorithm>
#include <array>
#include <cstdint>

#include "kernels/weights.h"
#include "problem/geometry.h"

namespace unstride {

// What kernels of the forward and of the input gradient have in common whose sums are by minimal filters (Winograd's
// algorithm) along depth and height. docs/algorithm.md explains the mathematics, and generators/minimal_filter.h has
// the arithmetic of the kernels.

// Writes the elements of a minimal filter, which are one more than it has taps, at `to`, `to_step` apart. There are
// `count` taps at `taps`, from one to three, the one that reads furthest right first. A tap and an element are those of
// filters_at_once filters, side by side. Packing large weights anew takes as long as these lines, so that counts are
// constants, and lines are vectors.
template<int64_t count, typename T>
void transform_taps(const std::array<const T *, count> &taps, T *to, int64_t to_step) {
    std::array<std::array<T, filters_at_once>, 3> w{};
    for (int64_t i = 0; i < count; i++) {
        std::copy_n(taps[i], filters_at_once, w[i].begin());
    }
    const auto put = [&](int64_t element, const auto &of_filter) {
        for (int64_t i = 0; i < filters_at_once; i++) {
            to[element * to_step + i] = of_filter(i);
        }
    };
    put(count, [&](int64_t i) { return w[0][i]; });
    put(0, [&](int64_t i) { return w[count - 1][i]; });
    if constexpr (count == 2) {
        put(1, [&](int64_t i) { return w[0][i] + w[1][i]; });
    } else if constexpr (count == 3) {
        put(1, [&](int64_t i) { return (w[0][i] + w[1][i] + w[2][i]) / 2; });
        put(2, [&](int64_t i) { return (w[0][i] - w[1][i] + w[2][i]) / 2; });
    }
}

// What an output takes along depth and height, on average: elements and products of minimal filters, of which it is a
// sum of `terms`; and the taps that it takes directly. All but `terms` are for each tap along the width.
struct FilterCounts {
    double elements, products, terms, taps;
};

// Returns whether minimal filters are expected to take less time than direct sums (SumsRules::pays), where an output
// has this many taps along the width, and where for each element of a filter `staged` inputs are staged for each column
// of the output, in all channels together.
bool minimal_filters_pay(const Channels &channels, const FilterCounts &of_output, double taps_along_width,
                         double staged);

}  // namespace unstride

#endif
