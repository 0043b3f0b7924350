#ifndef UNSTRIDE_RUNTIME_KERNELS_FAMILY_RULES_H
#define UNSTRIDE_RUNTIME_KERNELS_FAMILY_RULES_H

#include <string>
#include <vector>

#include "family.h"
#include "kernels/cost.h"
#include "kernels/cut.h"
#include "kernels/weights.h"
#include "problem/problem.h"

namespace unstride {

// What the runtime knows of a kernel family, besides the facts that it shares with the generator. No other code
// compares families: it asks the row of a kernel's family.
struct FamilyRules {
    Family family;

    // Returns the channels of a layer as its kernels see them. For example, to a depthwise kernel all groups of a layer
    // are the output channels of a single group.
    Channels (*channels_seen)(const Channels &channels);

    // Returns why its kernels cannot compute a layer; empty if they can.
    std::string (*obstacle)(const ConvTranspose3dOptions &options);

    // The condition of a call without which its kernels cannot run, and what to tell a caller then; or null.
    bool Conditions::*needs;
    const char *unmet;

    // How the time of its kernels on a CPU is estimated, where their way of summing does not tell; or null.
    const CostModel *cost = nullptr;

    // Whether its kernels compute only output channels, as they see them, that fill whole blocks.
    bool whole_blocks = false;
};

// What one set of packed weights contains: `taps` taps, or numbers that take their place, for each input and output
// channel of each group.
struct PanelContents {
    Channels channels;
    int64_t taps;
};

// What panels hold in place of the layer's weights; null where they hold these as they are.
template<typename T>
struct Repacking {
    // Returns the weights of a layer, or of the range of its output channels that `geometry` has, rearranged for the
    // set of panels of this number. They are what PanelContents says, in the order of dense_weight_strides().
    std::vector<T> (*arrange)(const Geometry &geometry, const Weights<T> &weights, size_t set) = nullptr;

    // Writes what takes the place of the taps of an input channel and filters_at_once output channels in the set of
    // panels of this number. It goes to `elements`, and is as many as PanelContents says. For each tap, and for each
    // element, the numbers of these channels are neighbours. Must not throw.
    void (*transform)(const Geometry &geometry, size_t set, const T *taps, T *elements) = nullptr;
};

// What the runtime knows of a way of summing. No other code compares ways of summing. Each row stands in the file of
// its way: direct.cpp, winograd.cpp, taps.cpp, pairs.cpp, positions.cpp. An operator other than the forward has a row
// of its own for each of its ways.
struct SumsRules {
    Sums sums;
    const char *name;

    // Returns whether it is expected to take less time than direct sums. This depends on nothing but the layer and its
    // input, so that rounding is the same in both layouts (with FMA), for any number of threads, and on any machine
    // that has the kernels.
    bool (*pays)(const Geometry &geometry);

    // Returns why it cannot compute a layer; empty if it can.
    std::string (*obstacle)(const ConvTranspose3dOptions &options);

    // Returns what each call of a kernel computes along the depth, or along the height.
    std::vector<Cut> (*cut)(const Extent &extent);

    // Returns the cuts of the width: see cut_width().
    std::vector<Cut> (*cut_width)(const Extent &x, int interleaved, Device device);

    // Outputs along depth and height that one row or slice of a Split stands for.
    int outputs_of_row;

    // Whether a block of a register tile is of products: of output channels and of the taps along height and width.
    // Then these taps are in one panel, the bias is not filled up to whole blocks, a Split counts channels in place of
    // blocks, and all output channels are computed by one kernel.
    bool has_blocks_of_products;

    // Returns the sets of panels that a layer needs, whose channels a kernel sees as `seen`. There is one set, or one
    // for each pair of a phase of the depth and a phase of the height, in the order of their first taps.
    std::vector<PanelContents> (*panels)(const Geometry &geometry, const Channels &seen);

    Repacking<float> floats;
    Repacking<double> doubles;

    const CostModel *cost, *cost_on_gpu;  // the models of cost of its kernels on a CPU and on a GPU
};

// Returns all ways of summing, in the order in which the planner asks whether they pay: of those of one operator, those
// that save most come first, and one that always pays comes last.
std::vector<const SumsRules *> all_sums();

const FamilyRules &rules_of(Family family);
const SumsRules &rules_of(Operator op, Sums sums);
const char *name_of(Lanes lanes);

// Returns the row of a family in the table of generators/family.h. Throws InvalidArgument, with the names that are in
// the table, if this one is not.
const FamilyFacts &known_family(const std::string &name);

// These are members of several rows of the tables: there is no obstacle, kernels pay for all layers, there are no
// weights to pack, and a single set of panels has all taps.
std::string no_obstacle(const ConvTranspose3dOptions &options);
bool always_pays(const Geometry &geometry);
std::vector<PanelContents> no_panels(const Geometry &geometry, const Channels &seen);
std::vector<PanelContents> one_set_of_panels(const Geometry &geometry, const Channels &seen);

}  // namespace unstride

#endif
