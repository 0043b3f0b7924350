#ifndef UNSTRIDE_BENCH_HARNESS_H
#define UNSTRIDE_BENCH_HARNESS_H

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "layers.h"
#include "machine.h"
#include "unstride/unstride.h"

namespace unstride::bench {

double median(std::vector<double> values);  // of at least one

// Median wall time of a call, in seconds: after one call to warm up, calls for 0.3 s, and at least 5.
double median_seconds(const std::function<void()> &call);

// What one variant did on one layer.
struct Result {
    std::string layer;
    Layout layout;
    std::string variant;
    std::string dtype;
    bool planned;              // whether the planner would choose this variant
    double seconds;            // median, into a preallocated output
    double gflops;             // 2 per multiply-add whose tap and output both exist
    double fraction_of_limit;  // the time that the machine's peak or bandwidth allows, over the measured one
};

// A layer of the table with random weights and input in one layout, ready to be timed.
class LayerRun {
public:
    // Throws InvalidArgument for a layer that ConvTranspose3d refuses.
    LayerRun(const Layer &layer, Layout layout);

    // Times a variant, or the planner's choice if the name is empty. Throws InvalidArgument for a variant that this
    // machine or layer cannot run.
    Result measure(const std::string &variant, const Machine &machine);

    // Makes the next calls run a variant and a split, as ConvTranspose3d::set_variant, and says what they will run.
    Plan force(const std::string &variant, int64_t rows_per_task);
    void call();
    const Shape &output_sizes() const {
        return output_.sizes();
    }

private:
    std::string name_;
    Layout layout_;
    ConvTranspose3d convolution_;
    Tensor input_, output_;
    std::string planned_;
};

// {"machine": {...}, "results": [...]}
nlohmann::ordered_json to_json(const Machine &machine, const std::vector<Result> &results);

}  // namespace unstride::bench

#endif
