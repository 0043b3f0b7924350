#ifndef UNSTRIDE_BENCH_HARNESS_H
#define UNSTRIDE_BENCH_HARNESS_H

#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "layers.h"
#include "machine.h"
#include "unstride/unstride.h"

namespace unstride::bench {

// Returns whether a variant may compute an operator of a layer: it is of this operator, or the layer's strides are 1,
// so that its input gradient is a forward.
bool may_compute(const Variant &variant, Operator op);

// Returns the names of the variants that a plan runs, joined by "+".
std::string variants_of(const Plan &plan);

// Returns the middle of at least one value; of an even number of values, the larger of the two in the middle.
double median(std::vector<double> values);

// Returns the wall times of single calls, in seconds: after two calls to warm up, there are as many as fit in `budget`
// seconds, but `least` of them at least.
std::vector<double> call_seconds(const std::function<void()> &call, double budget = 0.3, int64_t least = 5);

// Returns the offsets of a batched tensor's elements in its memory, in the order of (N, C, D, H, W) whatever its
// layout.
std::vector<int64_t> offsets(const Tensor &tensor);

// The time of one variant on one layer, and what follows from it.
struct Result {
    std::string layer;
    Layout layout;
    Device device;
    std::string variant;  // or two, joined by "+"
    Operator op;
    std::string dtype;
    bool planned;    // whether it is what the planner chooses, by estimate or by what it has measured
    double seconds;  // median, into a preallocated output
    double gflops;   // 2 per multiply-add whose tap and output both exist
    // The time that the machine's peak or bandwidth allows, over the measured one; 0 where these are unknown.
    double fraction_of_limit;
};

// What calls add to the convolution: an activation (leaky_relu or silu; none if the name is empty), a residual, or
// both. The layer does it itself, or it is done `apart`, in a pass of its own over the output, as in frameworks that
// have a module for each.
struct Epilogue {
    std::string activation;
    bool residual = false;
    bool apart = false;
};

// A layer of the table with random weights and input in one layout, in the memory of its device, and an operator of it,
// ready to be timed.
class LayerRun {
public:
    // Throws InvalidArgument for a layer that ConvTranspose3d refuses, and for a gradient on a GPU.
    LayerRun(const Layer &layer, Layout layout, Device device = Device::cpu, const Types &types = {},
             Operator op = Operator::forward);

    // Makes the next calls have elements of these types; the numbers of the input, the weights and the bias are the
    // same, rounded to the input's type, as those of a model in that type are. Forgets what was forced, the epilogue
    // and the output; the arrays of the types before are freed.
    void set_types(const Types &types);

    // Makes the layer plan in this way, whatever the environment says. At first it estimates.
    void set_planning(Planning planning);

    // Times a variant, or the planner's choice if the name is empty. Throws InvalidArgument for a variant that this
    // machine or layer cannot run.
    Result measure(const std::string &variant, const Machine &machine);

    // Makes the next calls of the operator run a variant and a split, as ConvTranspose::set_variant, and says what they
    // will run.
    Plan force(const std::string &variant, int64_t rows_per_task = 0);

    // Makes the next calls have this epilogue. Throws InvalidArgument for an activation that the layer, or the pass
    // apart, does not have, and for a residual or a pass on a GPU or with another type than f32.
    void set_epilogue(const Epilogue &epilogue);

    // Computes the operator once.
    void call();

    // Computes a gradient once, from random numbers for the output's gradient, and returns it; that of the bias has as
    // many dimensions as an input. Throws InvalidArgument for forward and for a GPU.
    const Tensor &gradient(Operator op);
    const Tensor &grad_output();  // of the input's type

    // Returns how many rows the operator's result has, of which a task computes some.
    int64_t rows() const;

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

    // Returns the output that is there, and leaves NaN in its place.
    Tensor take_output();

    // Computes, on the CPU, an output of the types that are set, and one in f64 from the same rounded numbers.
    std::pair<Tensor, Tensor> outputs_beside_f64();

private:
    void prepare(const Types &types);
    Plan current_plan() const;
    const Tensor &rounded_input() const {
        return rounded_input_ ? *rounded_input_ : input_;
    }

    std::string name_;
    Layout layout_;
    Operator op_;
    ConvTranspose3d convolution_;
    Types types_;
    Tensor input_, output_;
    std::unique_ptr<Tensor> rounded_input_;  // null if the input is f32
    std::unique_ptr<Tensor> residual_;
    std::unique_ptr<Tensor> grad_output_;
    std::map<Operator, Tensor> gradients_;  // those that were asked for
    bool apart_ = false;
    std::unique_ptr<DeviceTensor> device_input_, device_output_;  // in a GPU's memory; null on the CPU
    std::string planned_;
};

// Returns {"machine": {...}, "results": [...]}. Results of gradients say which operator they are of.
nlohmann::ordered_json to_json(const Machine &machine, const std::vector<Result> &results);

}  // namespace unstride::bench

#endif
