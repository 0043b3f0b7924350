#ifndef UNSTRIDE_RUNTIME_KERNELS_CALLS_H
#define UNSTRIDE_RUNTIME_KERNELS_CALLS_H

#include <cstdint>
#include <vector>

#include "problem/geometry.h"
#include "unstride/variants.h"

namespace unstride {

// In which way a variant gets at its sums. Those of one way round alike, whatever the tile or the layout.
enum class Algorithm {
    direct,    // tap by tap
    winograd,  // by minimal filters along depth and height
    taps,      // products of all taps along height and width first
    pairs,     // tap by tap, two input channels at once
};
Algorithm algorithm_of(const Variant &variant);

// How a forward is cut into calls of a kernel, dimension by dimension.

// How a variant's kernel sees the channels of a layer: a depthwise layer is one group to a depthwise kernel, and two
// input channels are one to a kernel of pairs.
Channels channels_seen(const Channels &channels, const Variant &variant);

// Phases along x that one call computes: `count` of them from `first` on, each `columns` long, `step` columns apart.
struct Phases {
    int64_t first, count, columns, step;
};

// The calls that compute all columns of an item: one, or two where the last phases are a column shorter. To a kernel
// that interleaves, all columns are one phase.
std::vector<Phases> phases_of_calls(const Extent &x, const Variant &variant);

// What one call computes of a dimension other than x: `outputs` rows (or slices), `step` apart from `first` on. It
// reads `inputs` rows, likewise, and is told that they are those of a layer with this kernel and axis.
struct Section {
    int64_t first, step, outputs;
    int64_t input_first, input_step, inputs;
    int64_t kernel;
    Axis<int64_t> axis;
    int64_t phase;  // which weights it takes, if phases have weights of their own
};

// All of the dimension, or to a Winograd kernel, each phase.
std::vector<Section> sections_of_calls(const Extent &e, const Variant &variant);

// Each phase as the dense layer of stride 1 that it is, its kernel that of a minimal filter: one more than the phase
// has taps.
std::vector<Section> phase_sections(const Extent &e);

}  // namespace unstride

#endif
