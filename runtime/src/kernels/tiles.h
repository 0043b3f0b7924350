#ifndef UNSTRIDE_RUNTIME_KERNELS_TILES_H
#define UNSTRIDE_RUNTIME_KERNELS_TILES_H

#include <algorithm>

#include "kernels/calls.h"
#include "kernels/catalog.h"
#include "problem/checked.h"
#include "problem/geometry.h"
#include "unstride/machine.h"

namespace unstride {

// What the planner's estimates count with.

inline double as_double(int64_t value) {
    return static_cast<double>(value);
}

inline bool is_across_channels(const Variant &v) {
    return v.family == "channels" || v.family == "pairs" || algorithm_of(v) == Algorithm::winograd ||
           (v.family == "depthwise" && v.layout == Layout::ndhwc);
}

// Whether a tile's vectors lie across channels, and the layout's across columns.
inline bool is_turned(const Variant &v) {
    return is_across_channels(v) && v.layout == Layout::ncdhw;
}

// Bytes of an element that is staged, of a packed weight or of a sum.
inline int64_t sum_bytes(const Variant &v) {
    return size_of(v.types.sums());
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
    const int64_t origin = divide_down(x.axis.padding, x.axis.stride);
    const int64_t last = origin + tiles_in_phase(columns, x) * columns;
    const int64_t first = origin - reach(x) - x.axis.input_step();
    return std::max(x.input, last + 1) - std::min<int64_t>(first, 0);
}

// Channels that a slab has of so many: whole cache lines of those that are turned, a line of them at a time.
constexpr int64_t line_of_channels = 16;
inline int64_t staged_channels(const Variant &v, int64_t inputs) {
    return is_turned(v) ? divide_up(inputs, line_of_channels) * line_of_channels : inputs;
}

// Elements beside the slab that it takes to turn so many rows, in blocks of four columns.
inline int64_t turned_elements(const Variant &v, const Extent &x, int64_t rows) {
    return is_turned(v) ? product({line_of_channels, divide_up(x.input, 4) * 4, rows}) : 0;
}

// Input rows that a task of so many output rows stages. Bounds inference does not know which of a phase's taps is
// first, and adds the rows before it.
inline int64_t input_rows(const Extent &y, int64_t rows) {
    return std::min((rows - 1 + (y.axis.tap_step() - 1) * y.axis.dilation) / y.axis.stride + reach(y) + 2, y.input);
}

// Whether items and groups are enough to keep all threads busy.
inline bool has_many_items(const Entry &entry, const Geometry &geometry, const Machine &machine) {
    return geometry.batch * channels_seen(geometry.channels, entry.variant).groups >= 4 * machine.threads;
}

// Calls of a kernel for an item, each of which stages its input.
inline double calls_along_x(const Entry &entry, const Geometry &geometry) {
    return as_double(static_cast<int64_t>(phases_of_calls(geometry.extent[2], entry.variant).size()));
}

// Cycles that it takes to store a tile: whole vectors where the layout is the tile's own; element by element where the
// phase's columns lie apart, in lines of which another phase writes the rest; and in between where a tile is turned,
// and its phases interleaved, the more so if its rows are shorter than vectors. Where a group's channels are few of
// those that are dense, each element goes to a line of its own, which is not in the cache any more when another group
// comes to it: taken for 8 cycles. At 1.2, f64 kernels of single channels were preferred on mednext_dw (64 groups),
// where those of all channels take half of their time.
inline double cycles_of_store(const Entry &entry, const Geometry &geometry) {
    const Variant &v = entry.variant;
    const Extent &x = geometry.extent[2];
    const bool dense = v.stride_x > 1 || x.axis.stride == 1;  // columns
    const bool own = is_across_channels(v) == (v.layout == Layout::ndhwc);
    const bool whole_vectors = own && (v.layout == Layout::ndhwc || dense);
    const double vectors = as_double(v.block * v.columns) / entry.lanes;
    if (is_turned(v) && dense) {
        return vectors * (3 + 2 * std::max(1.0, entry.lanes / as_double(v.columns * v.stride_x)));
    }
    const bool in_lines_apart = !own && v.layout == Layout::ndhwc && channels_seen(geometry.channels, v).groups > 1;
    return vectors * (whole_vectors ? 3 : entry.lanes * (in_lines_apart ? 8 : dense ? 1.2 : 2));
}

}  // namespace unstride

#endif
