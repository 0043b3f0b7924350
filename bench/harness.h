#ifndef UNSTRIDE_BENCH_HARNESS_H
#define UNSTRIDE_BENCH_HARNESS_H

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "layers.h"
#include "machine.h"
#include "unstride/unstride.h"

namespace unstride::bench {

// Names of the variants that a plan runs, joined by "+".
std::string variants_of(const Plan &plan);

double median(std::vector<double> values);  // of at least one

// Wall times of single calls, in seconds: after two calls to warm up, as many as fit in `budget` seconds,
// but `least` at least.
std::vector<double> call_seconds(const std::function<void()> &call, double budget = 0.3, int64_t least = 5);

// Offsets of a batched tensor's elements, in the order of (N, C, D, H, W) whatever its layout.
std::vector<int64_t> offsets(const Tensor &tensor);

// What one variant did on one layer.
struct Result {
    std::string layer;
    Layout layout;
    Device device;
    std::string variant;  // or two, joined by "+"
    std::string dtype;
    bool planned;              // whether it is what the planner chooses
    double seconds;            // median, into a preallocated output
    double gflops;             // 2 per multiply-add whose tap and output both exist
    double fraction_of_limit;  // the time that the machine's peak or bandwidth allows, over the measured one; 0 where
                               // these are unknown
};

// A layer of the table with random weights and input in one layout, in the memory of its device, ready to be timed.
class LayerRun {
public:
    // Throws InvalidArgument for a layer that ConvTranspose3d refuses.
    LayerRun(const Layer &layer, Layout layout, Device device = Device::cpu, const Types &types = {});

    // Makes the next calls have elements of these types; the numbers of the input, the weights and the bias are the
    // same, rounded to the input's type, as those of a model in that type are. Forgets what was forced, the epilogue
    // and the output; the arrays of the types before are freed.
    void set_types(const Types &types);

    // Times a variant, or the planner's choice if the name is empty. Throws InvalidArgument for a variant that this
    // machine or layer cannot run.
    Result measure(const std::string &variant, const Machine &machine);

    // Makes the next calls run a variant and a split, as ConvTranspose::set_variant, and says what they will run.
    Plan force(const std::string &variant, int64_t rows_per_task = 0);

    // What the next calls add to the convolution: a residual, an activation, or both; as the layer does it, or `apart`,
    // in a pass of its own over the output, as frameworks do that have a module for each. Throws InvalidArgument for an
    // activation that the layer, or the pass, does not have, and for a residual or a pass of another type than f32.
    void set_epilogue(const std::string &activation, bool residual, bool apart);

    // Computes the output once, with what was forced or measured last, or else with the planner's choice; waits until
    // it is there.
    void forward();

    const ConvTranspose3d &convolution() const {
        return convolution_;
    }
    const Tensor &input() const {  // in f32
        return input_;
    }
    const Tensor &output() const {
        return output_;
    }

    // The output that is there; leaves NaN in its place.
    Tensor take_output();

    // On the CPU, an output of the types that are set, and one of f64 of the same numbers.
    std::pair<Tensor, Tensor> outputs_beside_f64();

private:
    void prepare(const Types &types);
    const Tensor &rounded_input() const {
        return rounded_input_ ? *rounded_input_ : input_;
    }

    std::string name_;
    Layout layout_;
    ConvTranspose3d convolution_;
    Types types_;
    Tensor input_, output_;
    std::unique_ptr<Tensor> rounded_input_;  // unless it is f32
    std::unique_ptr<Tensor> residual_;
    bool apart_ = false;
    std::unique_ptr<DeviceTensor> device_input_, device_output_;  // of a GPU, in place of `output_`
    std::string planned_;
};

// {"machine": {...}, "results": [...]}
nlohmann::ordered_json to_json(const Machine &machine, const std::vector<Result> &results);

}  // namespace unstride::bench

#endif
