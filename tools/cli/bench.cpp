#include <algorithm>
#include <iostream>
#include <memory>
#include <optional>

#include "arguments.h"
#include "bench/harness.h"
#include "commands.h"
#include "layer_choice.h"
#include "tools/files/output_file.h"
#include "tools/files/text.h"
#include "wisdom_file.h"

namespace unstride::tools {

namespace {

using bench::Layer;
using bench::LayerRun;
using bench::Machine;
using bench::Result;

using Names = std::vector<std::string>;

const Names all = {"all"};
const Names planned = {"planned"};

struct Arguments {
    LayerChoice choice;
    Names variants = planned;
    Device device = Device::cpu;
    Operator op = Operator::forward;
    Types types;
    std::optional<Planning> planning;
    std::string json, wisdom;
};

// Returns the types that variants of the operator have: sums over positions are rounded by no kernel of theirs.
Types types_of_variants(const Arguments &arguments) {
    const bool over_positions = arguments.op == Operator::weight_gradient || arguments.op == Operator::bias_gradient;
    return over_positions ? Types(arguments.types.input) : arguments.types;
}

// Returns the names of the variants to force in this layout; an empty one leaves the choice to the planner.
Names choose_variants(const Arguments &arguments, Layout layout) {
    if (arguments.variants == planned) {
        return {""};
    }
    const Names &named = arguments.variants;
    const auto is_wanted = [&](const Variant &v) {
        if (named == all) {
            return bench::may_compute(v, arguments.op) && v.device == arguments.device &&
                   v.types == types_of_variants(arguments) && v.runs_here();
        }
        return std::count(named.begin(), named.end(), v.name) > 0;
    };
    Names chosen;
    for (const Variant &v : variants()) {
        if (v.layout == layout && is_wanted(v)) {
            chosen.push_back(v.name);
        }
    }
    return chosen;
}

class Table {
public:
    explicit Table(const std::vector<Layer> &layers) {
        for (const Layer &layer : layers) {
            layer_width_ = std::max(layer_width_, static_cast<int>(layer.name.size()));
        }
        for (const Variant &v : variants()) {
            variant_width_ = std::max(variant_width_, static_cast<int>(v.name.size()));
        }
        std::cout << format("%-*s  %-6s  %-*s  %7s  %10s  %8s  %s\n", layer_width_, "layer", "layout", variant_width_,
                            "variant", "planned", "ms", "GFLOP/s", "of limit");
    }

    void print(const Result &r) const {
        print_start(r.layer, r.layout, r.variant);
        std::cout << format("%7s  %10.3f  %8.1f  %7.1f%%\n", r.planned ? "yes" : "", r.seconds * 1e3, r.gflops,
                            100 * r.fraction_of_limit)
                  << std::flush;
    }

    void print_skipped(const std::string &layer, Layout layout, const std::string &variant, const char *why) const {
        print_start(layer, layout, variant);
        std::cout << "skipped: " << why << std::endl;
    }

private:
    void print_start(const std::string &layer, Layout layout, const std::string &variant) const {
        std::cout << format("%-*s  %-6s  %-*s  ", layer_width_, layer.c_str(), to_string(layout), variant_width_,
                            variant.c_str());
    }

    int layer_width_ = 5, variant_width_ = 7;
};

void run_bench(const Arguments &arguments) {
    use_wisdom(arguments.wisdom);
    std::optional<OutputFile> json_file;
    if (!arguments.json.empty()) {
        json_file.emplace(arguments.json);
    }
    const std::vector<Layer> layers = arguments.choice.read();
    if (arguments.op != Operator::forward && arguments.device != Device::cpu) {
        throw InvalidArgument("--operator: gradients are measured on the CPU alone");
    }
    if (arguments.variants != all && arguments.variants != planned) {
        for (const std::string &name : arguments.variants) {
            const Variant &v = find_named(variants(), name, "--variants");
            if (!bench::may_compute(v, arguments.op)) {
                throw InvalidArgument("--variants: " + name + " computes the " + to_string(v.op) + ", not the " +
                                      to_string(arguments.op));
            }
            if (const Types types = types_of_variants(arguments); !(v.types == types)) {
                throw InvalidArgument("--variants: " + name + " is for type " + to_string(v.types) + ", not " +
                                      to_string(types));
            }
        }
    }
    std::cout << "measuring the machine's peak and bandwidth" << std::endl;
    const Machine machine = arguments.device == Device::cpu ? bench::measure_machine(num_threads())
                                                            : bench::describe_machine(arguments.device);
    std::cout << format("%s, %d %s: %.0f GFLOP/s in f32, %.1f GB/s\n", machine.cpu.c_str(), machine.threads,
                        arguments.device == Device::cpu ? "threads" : "processors", machine.peak_gflops,
                        machine.bandwidth_gbs)
              << operator_text(arguments.op) << '\n';
    const Table table(layers);
    std::vector<Result> results;
    for (const Layer &layer : layers) {
        for (Layout layout : arguments.choice.layouts) {
            LayerRun layer_run(layer, layout, arguments.device, arguments.types, arguments.op);
            layer_run.set_planning(arguments.planning.value_or(Planning::estimate));
            for (const std::string &variant : choose_variants(arguments, layout)) {
                try {
                    results.push_back(layer_run.measure(variant, machine));
                    table.print(results.back());
                } catch (const InvalidArgument &e) {
                    if (arguments.variants != all) {
                        table.print_skipped(layer.name, layout, variant, e.what());
                    }
                }
            }
        }
    }
    if (json_file) {
        const std::string text = bench::to_json(machine, results).dump(2) + "\n";
        json_file->write(text.data(), text.size());
        json_file->commit();
    }
}

}  // namespace

void add_bench(CLI::App &app) {
    CLI::App *command = app.add_subcommand("bench", "Measure variants on the layers of real networks");
    const auto arguments = std::make_shared<Arguments>();
    add_layer_choice(*command, arguments->choice, "Layers of the table, or all (default)");
    add_names(*command, "--variants", arguments->variants,
              "Variants from `unstride list`, all that can run, or planned (default): the planner's choice");
    add_device(*command, arguments->device);
    add_operator(*command, arguments->op);
    add_types(*command, arguments->types, "f32");
    add_threads(*command);
    add_text(*command, "--json", arguments->json, "FILE", "Write the results to this file");
    add_wisdom_argument(*command, arguments->wisdom);
    add_planning(*command, arguments->planning, "estimate");
    command->callback([arguments] { run_bench(*arguments); });
}

}  // namespace unstride::tools
