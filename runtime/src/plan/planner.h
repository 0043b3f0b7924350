#ifndef UNSTRIDE_RUNTIME_PLAN_PLANNER_H
#define UNSTRIDE_RUNTIME_PLAN_PLANNER_H

#include <string>
#include <vector>

#include "kernels/calls.h"
#include "kernels/catalog.h"
#include "kernels/estimate.h"
#include "problem/geometry.h"

namespace unstride {

// What one variant computes: all output channels of each group, or a range of them.
struct Part {
    const Entry *entry;
    int64_t first, channels;
    Split split;
};

// What the planner decides: everything that does not change the result but for its rounding.
struct Decision {
    std::vector<Part> parts;  // one, or a second one for the channels that do not fill a block of the first
    std::string reason;
    double measured_seconds;  // of a forward, by unstride tune; 0 if it was not measured
};

// The layer that a part computes.
Geometry part_of(Geometry geometry, const Part &part);

// What the caller wants, whatever the planner would take.
struct Forced {
    const Entry *entry = nullptr;  // null: anything
    int64_t rows_per_task = 0;     // 0: what the planner finds best
};

// What only some calls have, and some variants need.
struct Conditions {
    bool moderate;  // numbers: see are_moderate()
    bool aligned;   // an input whose place in memory, and strides, are multiples of four elements
    bool in_bf16;   // weights: see are_in_bf16()
};

// What a decision is for, besides the layer and its input.
struct Call {
    Device device;
    Layout layout;
    Types types;
    Conditions conditions;
    const Machine &machine;  // of a GPU, only its processors, as threads
};

// Why a variant cannot run a layer on a machine; empty if it can. Whether a GPU is there, its layers know.
std::string obstacle(const Variant &variant, const ConvTranspose3dOptions &options, const Machine &machine);

// Which condition a variant needs and a call does not have; empty if there is none.
std::string unmet(const Variant &variant, const Conditions &conditions);

// How a layer is computed, as far as this build has kernels for it.
Algorithm algorithm_for(const ConvTranspose3dOptions &options, const Geometry &geometry, const Call &call);

// Picks among the variants of a device, layout and types, and splits the work among threads, or a GPU's processors:
// what is forced, or else what wisdom has for this layer and input, or else what is expected to take the least time.
// Throws InvalidArgument if no variant can run, or not the one that is forced.
Decision decide(const ConvTranspose3dOptions &options, const Geometry &geometry, const Call &call,
                const Forced &forced);

bool uses(const Decision &decision, Algorithm algorithm);

// Cycles that the planner's estimate gives a forward from its start to its end, on the machine that it was made for. It
// knows nothing of memory, which binds layers with few multiply-adds for each byte, nor of what a call costs beside its
// tasks, some microseconds.
double expected_cycles(const Decision &decision, const Geometry &geometry, const Machine &machine);

// Bytes that a kernel's scratch takes at most, in all threads together: for each, the slab of input that a task reads.
int64_t scratch_bytes(const Part &part, const Geometry &geometry, int threads);

}  // namespace unstride

#endif
