// Runs layers for bench/bench.py, which takes turns between this process and those of the peers.
//
//     unstride_bench_worker [THREADS]
//
// Reads one JSON object a line from standard input and answers each with one line; bench/README.md lists them.

#include <HalideRuntime.h>
#include <dlfcn.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "bench/elements.h"
#include "bench/harness.h"
#include "memory.h"
#include "plans.h"
#include "tools/files/npy.h"
#include "tools/files/process.h"
#include "unstride/register.h"

namespace {

using namespace unstride;
using Json = nlohmann::ordered_json;

// Returns the value that has this name. Throws InvalidArgument if none has; `what` says what they are.
template<typename T>
T parse(const std::string &what, const std::string &name, std::initializer_list<T> all) {
    for (const T each : all) {
        if (name == to_string(each)) {
            return each;
        }
    }
    throw InvalidArgument("there is no " + what + " '" + name + "'");
}

Layout layout_of(const Json &request) {
    return parse("layout", request.at("layout"), {Layout::ncdhw, Layout::ndhwc});
}

Device device_of(const Json &request) {
    return parse("device", request.value("device", "cpu"), {Device::cpu, Device::cuda, Device::opencl});
}

Types types_of(const Json &request) {
    return parse_types(request.value("dtype", "f32"));
}

Operator operator_of(const Json &request) {
    return parse("operator", request.value("operator", "forward"),
                 {Operator::forward, Operator::input_gradient, Operator::weight_gradient, Operator::bias_gradient});
}

bench::Epilogue epilogue_of(const Json &request) {
    bench::Epilogue epilogue;
    epilogue.activation = request.value("activation", epilogue.activation);
    epilogue.residual = request.value("residual", epilogue.residual);
    epilogue.apart = request.value("apart", epilogue.apart);
    return epilogue;
}

template<typename T>
void save(const std::string &path, const Shape &sizes, const std::vector<T> &values) {
    tools::OutputFile file(path);
    tools::write_npy(file, sizes, values.data());
    file.commit();
}

void save(const std::string &path, const Tensor &tensor) {
    bench::with_elements(tensor, [&](const auto *elements) {
        std::vector<std::remove_cv_t<std::remove_pointer_t<decltype(elements)>>> values;
        values.reserve(tensor.element_count());
        for (const int64_t offset : bench::offsets(tensor)) {
            values.push_back(elements[offset]);
        }
        save(path, tensor.sizes(), values);
    });
}

// Writes the input, the parameters and an output of a layer to the folder that the request names, if it names one.
void save(const Json &request, const bench::LayerRun &run, const Tensor &output) {
    if (const std::string folder = request.value("save", ""); !folder.empty()) {
        const ConvTranspose3d &convolution = run.convolution();
        save(folder + "/input.npy", run.input());
        save(folder + "/weight.npy", convolution.weight_shape(), convolution.weight());
        save(folder + "/bias.npy", convolution.bias_shape(), convolution.bias());
        save(folder + "/output.npy", output);
    }
}

double seconds_of(const std::function<void()> &call) {
    const auto begin = std::chrono::steady_clock::now();
    call();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

// Returns the seconds of single calls, as `time` of bench/README.md asks for them. A process that was stopped has cold
// caches, and the first call packs weights: calls to warm up go on for some time, and are no samples.
std::vector<double> time_calls(const std::function<void()> &call, const Json &request) {
    constexpr double warm_up_seconds = 0.02;
    constexpr int64_t most = 1000;
    double last = seconds_of(call);
    if (last > request.value("patience", last)) {
        return {last};
    }
    double spent = last;
    while (spent < warm_up_seconds) {
        last = seconds_of(call);
        spent += last;
    }
    const double fitting = request.at("seconds").get<double>() / std::max(last, 1e-9);
    std::vector<double> samples(std::clamp<int64_t>(std::llround(fitting), request.at("least"), most));
    std::generate(samples.begin(), samples.end(), [&call] { return seconds_of(call); });
    return samples;
}

int64_t bytes_of(const bench::LayerRun &run) {
    const auto weights = static_cast<int64_t>(run.convolution().weight().size() + run.convolution().bias().size());
    return static_cast<int64_t>(sizeof(float)) * (run.input().element_count() + run.output().element_count() + weights);
}

class Worker {
public:
    Worker() {
        // A first forward takes the memory that a process takes once, such as that of its threads: it is no layer's.
        ConvTranspose3d small(8, 8, 3);
        small.forward(static_cast<const Tensor &>(Tensor({1, 8, 4, 4, 4})).view());
    }

    Json answer(const Json &request) {
        const std::string what = request.at("do");
        if (what == "machine") {
            return machine();
        }
        if (what == "processor") {
            return tools::processor();
        }
        if (what == "plan") {
            return tools::plans(layer_of(request), layout_of(request), types_of(request), request);
        }
        if (what == "load") {
            return load(request);
        }
        if (what == "time") {
            bench::LayerRun &layer = run(request);
            layer.set_types(types_of(request));
            if (const Operator op = operator_of(request); op != Operator::forward) {
                return {{"samples", time_calls([&layer, op] { layer.gradient(op); }, request)}};
            }
            layer.force(request.value("variant", ""));
            layer.set_epilogue(epilogue_of(request));
            return {{"samples", time_calls([&layer] { layer.forward(); }, request)}};
        }
        if (what == "gradient") {
            return gradient(run(request), request);
        }
        if (what == "expect") {
            return expect(run(request), request);
        }
        if (what == "add") {
            return add(request);
        }
        if (what == "check") {
            return request.contains("variant") ? check(run(request), request) : check_types(run(request), request);
        }
        if (what == "unload") {
            runs_.clear();
            return Json::object();
        }
        throw InvalidArgument("there is no request '" + what + "'");
    }

private:
    static Json machine() {
        const bench::Machine machine = bench::measure_machine(num_threads());
        return {{"cpu", machine.cpu},
                {"threads", machine.threads},
                {"peak_gflops", machine.peak_gflops},
                {"bandwidth_gbs", machine.bandwidth_gbs},
                {"clock_ghz", bench::measure_clock_ghz()}};
    }

    bench::LayerRun &run(const Json &request) {
        const std::string layout = request.at("layout");
        const auto found = runs_.find(layout);
        if (found == runs_.end()) {
            throw InvalidArgument("no layer is loaded in " + layout);
        }
        return *found->second;
    }

    // Makes a kernel that was compiled for a layer, or for any where the request names none, one of the variants.
    static Json add(const Json &request) {
        void *library = dlopen(request.at("library").get<std::string>().c_str(), RTLD_NOW);
        const std::string name = request.at("name");
        void *function = library == nullptr ? nullptr : dlsym(library, ("unstride_" + name).c_str());
        if (function == nullptr) {
            throw InvalidArgument(dlerror());
        }
        const AddedKernel kernel{name,
                                 request.at("family"),
                                 layout_of(request),
                                 request.at("isa"),
                                 request.at("stride_x"),
                                 request.at("block"),
                                 request.at("columns"),
                                 reinterpret_cast<Kernel>(function),
                                 request.at("autoscheduled"),
                                 types_of(request)};
        if (request.contains("layer")) {
            register_layer(layer_of(request).options, {kernel});
        } else {
            register_kernels({kernel});
        }
        return Json::object();
    }

    static bench::Layer layer_of(const Json &request) {
        const std::vector<bench::Layer> layers = bench::parse_layers(request.at("layer"));
        if (layers.size() != 1) {
            throw InvalidArgument("a table of one layer is needed");
        }
        return layers.front();
    }

    Json load(const Json &request) {
        const Layout layout = layout_of(request);
        runs_.erase(to_string(layout));
        const int64_t before = tools::resident_bytes();
        const Types types = types_of(request);
        auto run = std::make_unique<bench::LayerRun>(layer_of(request), layout, device_of(request), types);
        const Plan plan = run->convolution().plan(run->input().sizes(), layout, {}, types);
        run->forward();
        // Other types have an input of f32 beside theirs, which no app would have.
        const bool measures_memory = types == Types() && request.value("memory", true);
        const int64_t peak = measures_memory ? tools::peak_resident_bytes([&] { run->forward(); }) : 0;
        Json reply = {{"variant", bench::variants_of(plan)},
                      {"reason", plan.reason},
                      {"flops", 2 * plan.multiply_adds},
                      {"compulsory_bytes", plan.compulsory_bytes},
                      {"packed_bytes", plan.packed_bytes},
                      {"scratch_bytes", plan.scratch_bytes},
                      {"extra_bytes", peak == 0 ? Json() : Json(std::max<int64_t>(peak - before - bytes_of(*run), 0))}};
        save(request, *run, run->output());
        runs_[to_string(layout)] = std::move(run);
        return reply;
    }

    // Computes a gradient of a layer that is loaded, writes it and what it is made of, and answers what computes it.
    static Json gradient(bench::LayerRun &layer, const Json &request) {
        layer.set_types(Types());
        const Operator op = operator_of(request);
        const Tensor &result = layer.gradient(op);
        const std::string folder = request.at("save");
        if (const std::string path = folder + "/grad_output.npy"; !std::filesystem::exists(path)) {
            save(path, layer.grad_output());
        }
        save(folder + "/" + to_string(op) + ".npy", result);
        const Tensor &input = layer.input();
        return {{"variant", bench::variants_of(layer.convolution().plan(input.sizes(), input.layout(), {}, {}, op))}};
    }

    // Answers the planner's choice, and the seconds that it expects, by name, of those variants of a list that take the
    // layer.
    static Json expect(bench::LayerRun &layer, const Json &request) {
        layer.set_types(types_of(request));
        Json seconds = Json::object();
        for (const auto &variant : request.at("variants").get<std::vector<std::string>>()) {
            try {
                seconds[variant] = layer.force(variant).expected_seconds;
            } catch (const InvalidArgument &) {
                continue;  // this variant does not take this layer
            }
        }
        return {{"planned", bench::variants_of(layer.force(""))}, {"seconds", seconds}};
    }

    // Answers how far a variant's output is from that of another one, or of the planner's choice, over the largest
    // output; null if it is not a number.
    static Json check(bench::LayerRun &layer, const Json &request) {
        layer.set_types(types_of(request));
        layer.force(request.value("beside", ""));
        layer.forward();
        const Tensor expected = layer.take_output();
        layer.force(request.at("variant"));
        layer.forward();
        return {{"difference", bench::difference(layer.take_output(), expected)}};
    }

    // Answers how far the output in some types is from that in f64, over the largest output in f64; null if it is not a
    // number. Both have the same numbers, rounded to the input's type.
    static Json check_types(bench::LayerRun &layer, const Json &request) {
        layer.set_types(types_of(request));
        const auto [found, expected] = layer.outputs_beside_f64();
        save(request, layer, expected);
        return {{"difference", bench::difference(found, expected)}};
    }

    std::map<std::string, std::unique_ptr<bench::LayerRun>> runs_;  // by layout
};

}  // namespace

int main(int argc, char **argv) {
    unsetenv("UNSTRIDE_WISDOM");  // the planner is measured, not what was tuned
    // Kernels that bench/experiments.py makes call halide_do_par_for, which the library's build renames in its own
    // kernels to this function.
    halide_set_custom_do_par_for(unstride_parallel_for);
    try {
        tools::prepare_process();
        if (argc > 1) {
            set_num_threads(std::atoi(argv[1]));
        }
        Worker worker;
        for (std::string line; std::getline(std::cin, line);) {
            Json reply;
            try {
                reply = worker.answer(Json::parse(line));
            } catch (const std::exception &e) {
                reply = {{"error", e.what()}};
            }
            std::cout << reply.dump() << std::endl;
        }
    } catch (const std::exception &e) {
        std::cerr << "unstride_bench_worker: " << e.what() << '\n';
        return 2;
    }
    return 0;
}
