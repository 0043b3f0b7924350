#ifndef UNSTRIDE_RUNTIME_TILES_H
#define UNSTRIDE_RUNTIME_TILES_H

#include <algorithm>

#include "calls.h"
#include "catalog.h"
#include "checked.h"
#include "geometry.h"

namespace unstride {

// What the planner's estimates count with.

inline double as_double(int64_t value) {
    return static_cast<double>(value);
}

inline bool is_across_channels(const Variant &v) {
    return v.family == "channels" || algorithm_of(v) == Algorithm::winograd || (v.family == "depthwise" && v.layout == Layout::ndhwc);
}

// Blocks of output channels of a group.
inline int64_t blocks(const Entry &entry, const Geometry &geometry) {
    return divide_up(channels_seen(geometry.channels, entry.variant).outputs, entry.variant.block);
}

// Taps of the average phase of a dimension.
inline double taps(const Extent &e) {
    return as_double(e.kernel) / as_double(e.axis.stride);
}

// Tiles of so many columns that one phase of an output row takes.
inline int64_t tiles_in_phase(int64_t columns, const Extent &x) {
    return divide_up(divide_up(x.output, x.axis.stride), columns);
}

// Inputs from the one that a phase's first tap reads to the last one's.
inline int64_t reach(const Extent &e) {
    return (e.axis.most_taps(e.kernel) - 1) * e.axis.input_step();
}

// Columns of a slab: all of the input's, and what whole tiles reach beyond them on both sides, from `first` to `last`.
inline int64_t slab_width(int64_t columns, const Extent &x) {
    const int64_t last = x.axis.padding / x.axis.stride + tiles_in_phase(columns, x) * columns;
    const int64_t first = x.axis.padding / x.axis.stride - reach(x) - x.axis.input_step();
    return std::max(x.input, last + 1) - std::min<int64_t>(first, 0);
}

// Input rows that a task of so many output rows stages. Bounds inference does not know which of a phase's taps is first, and adds the rows
// before it.
inline int64_t input_rows(const Extent &y, int64_t rows) {
    return std::min((rows - 1 + (y.axis.tap_step() - 1) * y.axis.dilation) / y.axis.stride + reach(y) + 2, y.input);
}

// Whether items and groups are enough to keep all threads busy.
inline bool has_many_items(const Entry &entry, const Geometry &geometry, int threads) {
    return geometry.batch * channels_seen(geometry.channels, entry.variant).groups >= 4 * threads;
}

// Calls of a kernel for an item, each of which stages its input.
inline double calls_along_x(const Entry &entry, const Geometry &geometry) {
    return as_double(static_cast<int64_t>(phases_of_calls(geometry.extent[2], entry.variant).size()));
}

// Cycles that it takes to store a tile: whole vectors where the layout is the tile's own; element by element where the phase's columns lie
// apart, in lines of which another phase writes the rest; and in between where a tile is transposed, and its phases interleaved.
inline double cycles_of_store(const Entry &entry, const Extent &x) {
    const Variant &v = entry.variant;
    const bool dense = v.stride_x > 1 || x.axis.stride == 1;  // columns
    const bool own = is_across_channels(v) == (v.layout == Layout::ndhwc);
    const bool whole_vectors = own && (v.layout == Layout::ndhwc || dense);
    return as_double(v.block * v.columns) / entry.lanes * (whole_vectors ? 3 : entry.lanes * (dense ? 1.2 : 2));
}

}  // namespace unstride

#endif
