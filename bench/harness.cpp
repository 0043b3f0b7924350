#include "harness.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <thread>
#include <utility>

#include "elements.h"

namespace unstride::bench {

double median(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

namespace {

// Collects the times of the repetitions, instead of printing them.
class Collector : public benchmark::BenchmarkReporter {
public:
    bool ReportContext(const Context & /*context*/) override {
        return true;
    }
    void ReportRuns(const std::vector<Run> &runs) override {
        for (const Run &run : runs) {
            if (run.run_type == Run::RT_Iteration) {
                seconds.push_back(run.real_accumulated_time);
            }
        }
    }

    std::vector<double> seconds;
};

}  // namespace

bool may_compute(const Variant &variant, Operator op) {
    return variant.op == op || (op == Operator::input_gradient && variant.op == Operator::forward);
}

std::string variants_of(const Plan &plan) {
    return plan.variant.name + (plan.rest.empty() ? "" : "+" + plan.rest);
}

std::vector<double> call_seconds(const std::function<void()> &call, double budget, int64_t least) {
    const auto measure = [&call](int64_t repetitions) {
        benchmark::RegisterBenchmark("call",
                                     [&call](benchmark::State &state) {
                                         for ([[maybe_unused]] auto iteration : state) {
                                             call();
                                         }
                                     })
            ->UseRealTime()
            ->Iterations(1)
            ->Repetitions(static_cast<int>(repetitions));
        Collector collector;
        benchmark::RunSpecifiedBenchmarks(&collector, "call");
        benchmark::ClearRegisteredBenchmarks();
        return collector.seconds;
    };
    constexpr int64_t most = 1000;
    // The first call packs the weights, so the second one tells how many there is time for.
    const double estimate = measure(2).back();
    return measure(std::clamp<int64_t>(std::llround(budget / std::max(estimate, 1e-9)), least, most));
}

std::vector<int64_t> offsets(const Tensor &tensor) {
    const Shape &sizes = tensor.sizes(), strides = dense_strides(sizes, tensor.layout());
    std::vector<int64_t> all = {0};
    for (size_t dimension = 0; dimension < sizes.size(); dimension++) {
        std::vector<int64_t> next;
        next.reserve(all.size() * sizes[dimension]);
        for (const int64_t start : all) {
            for (int64_t i = 0; i < sizes[dimension]; i++) {
                next.push_back(start + i * strides[dimension]);
            }
        }
        all = std::move(next);
    }
    return all;
}

namespace {

constexpr float slope_of_pass = 0.01F;

// Adds a residual to a tensor, if there is one, and applies LeakyReLU, in place.
void pass_over(Tensor &tensor, const Tensor *residual) {
    const int threads = num_threads();
    const int64_t count = tensor.element_count(), share = (count + threads - 1) / threads;
    const auto pass = [&](int64_t first) {
        const int64_t end = std::min(count, first + share);
        float *to = tensor.data();
        const float *add = residual != nullptr ? residual->data() : nullptr;
        for (int64_t i = first; add != nullptr && i < end; i++) {
            to[i] += add[i];
            to[i] = std::max(to[i], to[i] * slope_of_pass);
        }
        for (int64_t i = first; add == nullptr && i < end; i++) {
            to[i] = std::max(to[i], to[i] * slope_of_pass);
        }
    };
    std::vector<std::thread> others;
    for (int t = 1; t < threads; t++) {
        others.emplace_back(pass, t * share);
    }
    pass(0);
    for (std::thread &other : others) {
        other.join();
    }
}

std::vector<float> rounded_to(DType dtype, std::vector<float> numbers) {
    with_type(dtype, [&](auto *null) {
        for (float &number : numbers) {
            number = rounded<float>(rounded<std::remove_pointer_t<decltype(null)>>(number));
        }
    });
    return numbers;
}

}  // namespace

namespace {

constexpr const char *only_on_cpu = "gradients are timed on the CPU";

// Elements get their numbers in the order of (N, C, D, H, W), so that they are the same in every layout.
void fill_uniform(Tensor &tensor, unsigned seed) {
    std::minstd_rand random(seed);
    std::uniform_real_distribution<float> uniform(-1, 1);
    for (const int64_t offset : offsets(tensor)) {
        tensor.data()[offset] = uniform(random);
    }
}

}  // namespace

LayerRun::LayerRun(const Layer &layer, Layout layout, Device device, const Types &types, Operator op)
    : name_(layer.name), layout_(layout), op_(op), convolution_(layer.options), input_(layer.input_size, layout),
      output_(convolution_.output_shape(layer.input_size), layout) {
    if (op != Operator::forward && device != Device::cpu) {
        throw InvalidArgument(only_on_cpu);
    }
    convolution_.set_device(device);
    convolution_.set_planning(Planning::estimate);
    fill_uniform(input_, 1);
    prepare(types);
}

void LayerRun::set_types(const Types &types) {
    if (!(types == types_)) {
        prepare(types);
    }
}

void LayerRun::prepare(const Types &types) {
    if (!(types == types_)) {
        convolution_.reset_parameters(0);  // as they were at first
        convolution_.set_weight(rounded_to(types.input, convolution_.weight()).data(), convolution_.weight_shape());
        convolution_.set_bias(rounded_to(types.input, convolution_.bias()).data(), convolution_.bias_shape());
    }
    convolution_.set_variant("");
    types_ = types;
    planned_ = variants_of(current_plan());
    set_epilogue({});
    grad_output_ = nullptr;
    gradients_.clear();
    rounded_input_ = types.input == DType::f32 ? nullptr : std::make_unique<Tensor>(converted(input_, types.input));
    output_ = Tensor(output_.sizes(), layout_, output_.spatial(), types.output);
    if (const Device device = convolution_.device(); device != Device::cpu) {
        device_input_ = std::make_unique<DeviceTensor>(device, input_.sizes(), layout_, input_.spatial(), types.input);
        device_output_ =
            std::make_unique<DeviceTensor>(device, output_.sizes(), layout_, output_.spatial(), types.output);
        device_input_->upload(rounded_input());
    }
}

Plan LayerRun::current_plan() const {
    return convolution_.plan(input_.sizes(), layout_, {}, types_, op_);
}

void LayerRun::call() {
    if (op_ == Operator::forward) {
        forward();
    } else {
        gradient(op_);
    }
}

int64_t LayerRun::rows() const {
    return (op_ == Operator::input_gradient ? input_ : output_).sizes().end()[-2];
}

void LayerRun::forward() {
    if (device_input_) {
        convolution_.forward(*device_input_, *device_output_);
        device_output_->synchronize();
        return;
    }
    const View<const void> input = rounded_input().view<void>();
    if (residual_ && !apart_) {
        convolution_.forward(input, output_.view<void>(), residual_->view());
        return;
    }
    convolution_.forward(input, output_.view<void>());
    if (apart_) {
        pass_over(output_, residual_.get());
    }
}

const Tensor &LayerRun::grad_output() {
    if (!grad_output_) {
        grad_output_ = std::make_unique<Tensor>(output_.sizes(), layout_);
        fill_uniform(*grad_output_, 2);
        if (types_.input != DType::f32) {
            *grad_output_ = converted(*grad_output_, types_.input);
        }
    }
    return *grad_output_;
}

const Tensor &LayerRun::gradient(Operator op) {
    if (op == Operator::forward || device_input_) {
        throw InvalidArgument(only_on_cpu);
    }
    const View<const void> from = grad_output().view<void>();
    const auto memory = [&](const Shape &sizes, Layout layout) -> Tensor & {
        return gradients_.try_emplace(op, sizes, layout, 3, types_.output).first->second;
    };
    if (op == Operator::input_gradient) {
        Tensor &to = memory(input_.sizes(), layout_);
        convolution_.input_gradient(from, to.view<void>());
        return to;
    }
    if (op == Operator::weight_gradient) {
        Tensor &to = memory(convolution_.weight_shape(), Layout::ncdhw);
        convolution_.weight_gradient(rounded_input().view<void>(), from, to.view<void>());
        return to;
    }
    const int64_t channels = convolution_.options().out_channels;
    Tensor &to = memory({channels, 1, 1, 1}, Layout::ncdhw);
    convolution_.bias_gradient(from, View<void>(to.data<void>(), types_.output, {channels}, {1}));
    return to;
}

void LayerRun::set_epilogue(const Epilogue &epilogue) {
    const auto &[activation, residual, apart] = epilogue;
    if ((device_input_ || !(types_ == Types())) && (residual || apart)) {
        throw InvalidArgument("epilogues are timed on the CPU, in f32");
    }
    const std::map<std::string, Activation> known = {
        {"", {}}, {"leaky_relu", Activation::leaky_relu(slope_of_pass)}, {"silu", Activation::silu()}};
    if (known.count(activation) == 0 || (apart && activation != "leaky_relu")) {
        throw InvalidArgument("there is no epilogue " + activation);
    }
    convolution_.set_activation(apart ? Activation() : known.at(activation));
    apart_ = apart;
    residual_ = residual ? std::make_unique<Tensor>(output_.sizes(), layout_) : nullptr;
    if (residual_) {
        std::fill_n(residual_->data(), residual_->element_count(), 0.5F);
    }
}

Tensor LayerRun::take_output() {
    if (device_output_) {
        device_output_->download(output_);
    }
    Tensor taken = std::exchange(output_, Tensor(output_.sizes(), layout_, output_.spatial(), types_.output));
    with_elements(output_, [this](auto *to) {
        std::fill_n(to, output_.element_count(), rounded<std::remove_pointer_t<decltype(to)>>(std::nan("")));
    });
    if (device_output_) {
        device_output_->upload(output_);
    }
    return taken;
}

std::pair<Tensor, Tensor> LayerRun::outputs_beside_f64() {
    forward();
    return {take_output(), convolution_.forward(converted(rounded_input(), DType::f64).view<void>())};
}

void LayerRun::set_planning(Planning planning) {
    convolution_.set_planning(planning);
}

Result LayerRun::measure(const std::string &variant, const Machine &machine) {
    Plan plan = force(variant, 0);
    for (int trials = 0; plan.under_trial && trials < most_trials; trials++) {
        call();
        plan = current_plan();
    }
    const double seconds = median(call_seconds([this] { call(); }));
    const double flops = 2 * plan.multiply_adds;
    const auto at_rate = [](double work, double rate) { return rate > 0 ? work / (rate * 1e9) : 0; };
    // A vector holds half as many numbers of f64, and a GPU for scientific work computes half as many.
    const double peak_gflops = types_.sums() == DType::f64 ? machine.peak_gflops / 2 : machine.peak_gflops;
    const double compute_limit = at_rate(flops, peak_gflops),
                 memory_limit = at_rate(plan.compulsory_bytes, machine.bandwidth_gbs);
    return {name_,
            layout_,
            plan.variant.device,
            variants_of(plan),
            op_,
            to_string(types_),
            variant.empty() || variants_of(plan) == planned_,
            seconds,
            flops / seconds * 1e-9,
            std::max(compute_limit, memory_limit) / seconds};
}

Plan LayerRun::force(const std::string &variant, int64_t rows_per_task) {
    convolution_.set_variant(variant, rows_per_task, op_);
    return current_plan();
}

nlohmann::ordered_json to_json(const Machine &machine, const std::vector<Result> &results) {
    nlohmann::ordered_json rows = nlohmann::ordered_json::array();
    for (const Result &r : results) {
        rows.push_back({{"layer", r.layer},
                        {"layout", to_string(r.layout)},
                        {"dtype", r.dtype},
                        {"device", to_string(r.device)},
                        {"variant", r.variant},
                        {"planned", r.planned},
                        {"seconds", r.seconds},
                        {"gflops", r.gflops},
                        {"fraction_of_limit", r.fraction_of_limit}});
        if (r.op != Operator::forward) {
            rows.back()["operator"] = to_string(r.op);
        }
    }
    return {{"machine",
             {{"cpu", machine.cpu},
              {"threads", machine.threads},
              {"peak_gflops", machine.peak_gflops},
              {"bandwidth_gbs", machine.bandwidth_gbs}}},
            {"results", rows}};
}

}  // namespace unstride::bench
