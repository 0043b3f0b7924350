#ifndef UNSTRIDE_RUNTIME_LAYER_STATE_H
#define UNSTRIDE_RUNTIME_LAYER_STATE_H

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "array/device_array.h"
#include "kernels/panels.h"
#include "plan/plan_cache.h"
#include "plan/planner.h"
#include "process/mutex.h"
#include "run/execute.h"
#include "unstride/conv_transpose.h"

namespace unstride {

// What a layer keeps.
struct ConvTranspose::State {
    ConvTranspose3dOptions options;
    int spatial = 3;
    Parameters parameters;
    Activation activation;
    Device device = Device::cpu;
    int processors = 0;  // of a GPU
    Forced forced;
    mutable PlanCache plans;

    bool moderate = false, in_bf16 = false;  // the weights

    // Panels by variant, range of channels and, on a GPU, context, packed when first needed. Variants of one block size
    // share them.
    mutable Mutex mutex;
    mutable std::map<std::array<int64_t, 8>, std::shared_ptr<const std::vector<Panels>>> packed;

    // What shares the work: threads, or a GPU's processors. Asked for once in a call, as another thread may set it
    // meanwhile.
    int workers() const {
        return device == Device::cpu ? num_threads() : processors;
    }

    std::shared_ptr<const std::vector<Panels>> panels(const Geometry &geometry, const Part &part,
                                                      const Stream &stream) const;

    // Looks it through, and forgets the panels of the one before.
    void weight_is_set();

    // What an input has, of Conditions: all, as far as a plan knows.
    struct Input {
        bool moderate = true, aligned = true;
    };
    Conditions conditions(const Input &input) const {
        return {moderate && input.moderate, input.aligned, in_bf16};
    }

    // What this machine does with so many workers(), which is kept for calls like this one; and what any machine would
    // do.
    std::shared_ptr<const Decision> decide(const Geometry &geometry, Layout layout, const Types &types,
                                           const Input &input, int threads) const;
    Decision decide_on(const Machine &machine, const Geometry &geometry, Layout layout, const Types &types,
                       const Input &input) const;

    // Of a view that could be either: a forced variant's, if there is one.
    std::optional<Layout> forced_layout() const {
        return forced.entry != nullptr ? std::optional(forced.entry->variant.layout) : std::nullopt;
    }
    Layout preferred_layout() const {
        return forced_layout().value_or(Layout::ncdhw);
    }

    // The output's shape chooses the output padding, if it can.
    Geometry resolve_both(const Shape &input, const Shape &output) const;

    // All parts of a decision. There may be no residual.
    void compute(const Decision &decision, const Geometry &geometry, const Volume &input, const Volume &output,
                 const std::optional<Volume> &residual, const Stream &stream, int workers) const;
    // On a GPU, from one dense array to another; and through copies of as many items at a time as it takes in an array.
    void compute_arrays(const Geometry &geometry, Layout layout, const Types &types, const DeviceArray &input,
                        const DeviceArray &output, const DeviceArray *residual, const Stream &stream) const;
    void compute_copies(const Geometry &geometry, Layout layout, const View<const void> &input,
                        const View<void> &output, const View<const void> *residual) const;

    // What ConvTranspose::forward does, with a residual or none.
    void forward(const View<const void> &input, const View<void> &output, const View<const void> *residual) const;
    void forward(const View<const void> &input, const View<void> &output, const View<const void> *residual,
                 CudaStream stream) const;
    void forward(const DeviceTensor &input, DeviceTensor &output, const DeviceTensor *residual) const;
};

// For an input with as many sizes as `rank`, of which `spatial` are dimensions of space.
Shape shape_of_output(const Geometry &geometry, size_t rank, int spatial);

}  // namespace unstride

#endif
