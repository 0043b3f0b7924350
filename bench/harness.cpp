#include "harness.h"

#include <algorithm>
#include <chrono>
#include <random>
#include <utility>

namespace unstride::bench {

double median(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

double median_seconds(const std::function<void()> &call) {
    using Clock = std::chrono::steady_clock;
    call();
    std::vector<double> times;
    double total = 0;
    while (total < 0.3 || times.size() < 5) {
        const Clock::time_point start = Clock::now();
        call();
        times.push_back(std::chrono::duration<double>(Clock::now() - start).count());
        total += times.back();
    }
    return median(std::move(times));
}

LayerRun::LayerRun(const Layer &layer, Layout layout)
    : name_(layer.name), layout_(layout), convolution_(layer.options), input_(layer.input_size, layout),
      output_(convolution_.output_shape(layer.input_size), layout),
      planned_(convolution_.plan(layer.input_size, layout).variant.name) {
    std::minstd_rand random(1);
    std::uniform_real_distribution<float> uniform(-1, 1);
    std::generate_n(input_.data(), input_.element_count(), [&] { return uniform(random); });
}

Result LayerRun::measure(const std::string &variant, const Machine &machine) {
    const Plan plan = force(variant, 0);
    const double seconds = median_seconds([&] { call(); });
    const double flops = 2 * plan.multiply_adds;
    const double compute_limit = flops / (machine.peak_gflops * 1e9);
    const double memory_limit = plan.compulsory_bytes / (machine.bandwidth_gbs * 1e9);
    return {name_,
            layout_,
            plan.variant.name,
            plan.variant.dtype,
            plan.variant.name == planned_,
            seconds,
            flops / seconds * 1e-9,
            std::max(compute_limit, memory_limit) / seconds};
}

Plan LayerRun::force(const std::string &variant, int64_t rows_per_task) {
    convolution_.set_variant(variant, rows_per_task);
    return convolution_.plan(input_.sizes(), layout_);
}

void LayerRun::call() {
    convolution_.forward(static_cast<const Tensor &>(input_).view(), output_.view());
}

nlohmann::ordered_json to_json(const Machine &machine, const std::vector<Result> &results) {
    nlohmann::ordered_json rows = nlohmann::ordered_json::array();
    for (const Result &r : results) {
        rows.push_back({{"layer", r.layer},
                        {"layout", to_string(r.layout)},
                        {"dtype", r.dtype},
                        {"device", "cpu"},
                        {"variant", r.variant},
                        {"planned", r.planned},
                        {"seconds", r.seconds},
                        {"gflops", r.gflops},
                        {"fraction_of_limit", r.fraction_of_limit}});
    }
    return {{"machine",
             {{"cpu", machine.cpu},
              {"threads", machine.threads},
              {"peak_gflops", machine.peak_gflops},
              {"bandwidth_gbs", machine.bandwidth_gbs}}},
            {"results", rows}};
}

}  // namespace unstride::bench
