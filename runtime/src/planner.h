#ifndef UNSTRIDE_RUNTIME_PLANNER_H
#define UNSTRIDE_RUNTIME_PLANNER_H

#include <string>

#include "catalog.h"
#include "geometry.h"

namespace unstride {

// What the planner decides: everything that does not change the result.
struct Decision {
    const Entry *entry;
    std::string reason;
    int64_t rows_per_task;
    int64_t tasks;
};

// How a variant's kernel sees the channels of a layer: a depthwise layer is one group to a depthwise kernel.
Channels channels_seen(const Channels &channels, const Variant &variant);

// Whether a variant's kernel interleaves all phases along x itself; else it is called for one at a time.
bool interleaves(const Geometry &geometry, const Variant &variant);

// Calls of the kernel that one item of the batch takes.
int64_t calls_per_item(const Geometry &geometry, const Variant &variant);

// Why a variant cannot run a layer on this machine; empty if it can.
std::string obstacle(const Variant &variant, const ConvTranspose3dOptions &options);

// Picks among the variants of this layout, or takes the `forced` one if not null, and splits the work.
// Throws InvalidArgument if none can run.
Decision decide(const ConvTranspose3dOptions &options, const Geometry &geometry, Layout layout, const Entry *forced, int threads);

// Bytes that the kernel's scratch takes at most, in all threads together: for each, the slab of input that a task reads.
int64_t scratch_bytes(const Decision &decision, const Geometry &geometry, int threads);

}  // namespace unstride

#endif
