// Unstride beside cuDNN on the GPU, layer by layer, in turns.
//
//     unstride_gpu_bench FILE.json [ROUNDS]
//
// Times are taken between events in the stream, with data in place and after two calls to warm up; the first call of a
// layer, in which weights are packed and uploaded, and the driver compiles if no layer before had the same kernel, is
// timed by itself. All outputs are compared with that of Unstride's planned variant: where they differ by more than
// 1e-4 of the largest output, TF32 apart, the exit status is 1. The file is written after each layer.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>
#include <random>
#include <vector>

#include "bench/harness.h"
#include "runner.h"
#include "tools/files/output_file.h"
#include "tools/files/process.h"

namespace {

using namespace unstride;
using namespace unstride::bench;
using namespace unstride::tools;
using Json = nlohmann::ordered_json;

// One library, or variant, on one layer, and its times.
struct Entrant {
    std::string who;
    std::unique_ptr<Runner> runner;
    double first_seconds = 0;
    std::vector<double> seconds;
    std::vector<float> output;
};

class LayerBench {
public:
    LayerBench(const Layer &layer, Layout layout)
        : layer_(layer), layout_(layout), parameters_(layer.options), plan_(plan()),
          output_count_(count(parameters_.output_shape(layer.input_size))), input_(count(layer.input_size)),
          output_(output_count_) {
        std::minstd_rand random(1);
        std::uniform_real_distribution<float> uniform(-1, 1);
        std::vector<float> values(static_cast<size_t>(count(layer.input_size)));
        std::generate(values.begin(), values.end(), [&] { return uniform(random); });
        check(cudaMemcpy(input_.get(), values.data(), sizeof(float) * values.size(), cudaMemcpyHostToDevice));
    }

    Json run(int rounds, const DeviceInfo &device) {
        std::vector<Entrant> entrants;
        Json rows = Json::array();
        const auto enter = [&](const std::string &who, auto make) {
            try {
                Entrant e{who, make(), 0, {}, {}};
                e.first_seconds = first_call(*e.runner);
                e.output.resize(static_cast<size_t>(output_count_));
                check(cudaMemcpy(e.output.data(), output_.get(), sizeof(float) * e.output.size(),
                                 cudaMemcpyDeviceToHost));
                entrants.push_back(std::move(e));
            } catch (const std::exception &error) {
                rows.push_back(
                    {{"layer", layer_.name}, {"layout", to_string(layout_)}, {"who", who}, {"error", error.what()}});
            }
        };
        enter("unstride", [&] { return make_unstride(layer_, parameters_, layout_, ""); });
        enter("cudnn", [&] { return make_cudnn(layer_, parameters_, layout_, Tf32::off); });
        enter("cudnn_tf32", [&] { return make_cudnn(layer_, parameters_, layout_, Tf32::on); });
        for (const Variant &v : variants()) {
            if (v.op == Operator::forward && v.device == Device::cuda && v.layout == layout_ &&
                v.types == plan_.variant.types && v.name != plan_.variant.name) {
                enter(v.name, [&] { return make_unstride(layer_, parameters_, layout_, v.name); });
            }
        }
        for (int round = 0; round < rounds; round++) {
            for (Entrant &e : entrants) {
                take_turn(e);
            }
        }
        for (const Entrant &e : entrants) {
            rows.push_back(result(e, entrants.front(), device));
        }
        return rows;
    }

private:
    static int64_t count(const Shape &sizes) {
        int64_t product = 1;
        for (const int64_t size : sizes) {
            product *= size;
        }
        return product;
    }

    Plan plan() const {
        ConvTranspose3d layer(layer_.options);
        layer.set_device(Device::cuda);
        return layer.plan(layer_.input_size, layout_);
    }

    double first_call(Runner &runner) {
        check(cudaMemset(output_.get(), 0xff, sizeof(float) * static_cast<size_t>(output_count_)));  // NaN
        check(cudaDeviceSynchronize());
        const auto start = std::chrono::steady_clock::now();
        runner.forward(input_.get(), output_.get(), stream_);
        check(cudaStreamSynchronize(stream_));
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    }

    void take_turn(Entrant &e) {
        constexpr int warm_up = 2, calls = 20;
        for (int i = 0; i < warm_up; i++) {
            e.runner->forward(input_.get(), output_.get(), stream_);
        }
        const Event start, stop;
        check(cudaEventRecord(start, stream_));
        for (int i = 0; i < calls; i++) {
            e.runner->forward(input_.get(), output_.get(), stream_);
        }
        check(cudaEventRecord(stop, stream_));
        check(cudaEventSynchronize(stop));
        float milliseconds = 0;
        check(cudaEventElapsedTime(&milliseconds, start, stop));
        e.seconds.push_back(1e-3 * milliseconds / calls);
    }

    Json result(const Entrant &e, const Entrant &ours, const DeviceInfo &device) const {
        double difference = 0, largest = 0;
        for (size_t i = 0; i < e.output.size(); i++) {
            const double d = std::abs(double(e.output[i]) - ours.output[i]);
            difference = std::isnan(d) ? d : std::max(difference, d);
            largest = std::max(largest, std::abs(double(ours.output[i])));
        }
        const double seconds = median(e.seconds), flops = 2 * plan_.multiply_adds;
        const double limit = std::max(flops / device.peak_flops, plan_.compulsory_bytes / device.peak_bytes);
        return {{"layer", layer_.name},
                {"layout", to_string(layout_)},
                {"who", e.who},
                {"algorithm", e.runner->algorithm()},
                {"seconds", seconds},
                {"first_call_seconds", e.first_seconds},
                {"workspace_bytes", e.runner->workspace_bytes()},
                {"gflops", flops / seconds * 1e-9},
                {"fraction_of_peak", flops / device.peak_flops / seconds},
                {"fraction_of_limit", limit / seconds},
                {"difference", difference / largest}};
    }

    Layer layer_;
    Layout layout_;
    ConvTranspose3d parameters_;
    Plan plan_;
    int64_t output_count_;
    CudaArray input_, output_;
    Stream stream_;
};

void save(const std::string &path, const Json &document) {
    const std::string text = document.dump(1) + "\n";
    OutputFile file(path);
    file.write(text.data(), text.size());
    file.commit();
}

int run(const std::string &path, int rounds) {
    check(cudaFree(nullptr));  // makes the context that all share
    const DeviceInfo device = device_info(Device::cuda);
    int driver = 0, runtime = 0;
    check(cudaDriverGetVersion(&driver));
    check(cudaRuntimeGetVersion(&runtime));
    bool same = true;
    Json document = {{"machine",
                      {{"gpu", device.name},
                       {"processors", device.processors},
                       {"peak_gflops", device.peak_flops * 1e-9},
                       {"bandwidth_gbs", device.peak_bytes * 1e-9},
                       {"driver", driver},
                       {"runtime", runtime},
                       {"cudnn", cudnn_version()}}},
                     {"results", Json::array()}};
    for (const Layer &layer : parse_layers(default_layer_table())) {
        for (const Layout layout : {Layout::ncdhw, Layout::ndhwc}) {
            Json rows;
            try {
                rows = LayerBench(layer, layout).run(rounds, device);
            } catch (const std::exception &error) {
                rows = {{{"layer", layer.name},
                         {"layout", to_string(layout)},
                         {"who", "unstride"},
                         {"error", error.what()}}};
            }
            for (const Json &row : rows) {
                document["results"].push_back(row);
                const auto who = row["who"].get<std::string>();
                const bool failed = row.contains("error"), library = who == "unstride" || who == "cudnn";
                const bool differs = !failed && who != "cudnn_tf32" && !(row["difference"].get<double>() < 1e-4);
                same = same && !differs && !(failed && who == "unstride");
                if (failed || differs || library) {
                    std::cout << layer.name << ' ' << to_string(layout) << ' ' << who << ' '
                              << (failed ? row["error"].get<std::string>()
                                         : std::to_string(1e3 * row["seconds"].get<double>()) + " ms")
                              << (differs ? ", DIFFERS" : "") << std::endl;
                }
            }
            save(path, document);
        }
    }
    return same ? 0 : 1;
}

}  // namespace

int main(int argc, char **argv) {
    if (argc < 2) {
        std::cerr << "unstride_gpu_bench FILE.json [ROUNDS]\n";
        return 2;
    }
    try {
        prepare_process();
        return run(argv[1], argc > 2 ? std::atoi(argv[2]) : 3);
    } catch (const std::exception &error) {
        std::cerr << "unstride_gpu_bench: error: " << error.what() << '\n';
        return 2;
    }
}
