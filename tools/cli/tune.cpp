#include <algorithm>
#include <iostream>
#include <memory>

#include "arguments.h"
#include "bench/tuning.h"
#include "commands.h"
#include "layer_choice.h"
#include "progress.h"
#include "tools/files/text.h"
#include "wisdom_file.h"

namespace unstride::tools {

namespace {

struct Arguments {
    LayerChoice choice;
    CLI::Option *layers = nullptr;
    Shape input_size;
    LayerArguments layer;
    Operator op = Operator::forward;
    std::string wisdom;
};

// Returns the one layer that --input-size and the options beside it describe.
bench::Layer described_layer(const Arguments &arguments) {
    const int dims = arguments.layer.dims;
    ConvTranspose3dOptions options = arguments.layer.options;
    const Shape &input = arguments.input_size, &size = arguments.layer.output_size;
    options.in_channels = input.end()[-dims - 1];
    if (!size.empty()) {  // a layer of the table has an output padding instead
        options.output_padding = 0;
        const ConvTranspose layer(options, dims);
        layer.output_shape(input, size);  // refuses sizes that the layer cannot have
        const Shape least = layer.output_shape(input);
        const auto padding = [&](int d) { return d < 3 - dims ? 0 : size.end()[d - 3] - least.end()[d - 3]; };
        options.output_padding = Triple(padding(0), padding(1), padding(2));
    }
    std::string name;
    for (int64_t extent : input) {
        name += (name.empty() ? "" : "x") + std::to_string(extent);
    }
    Shape in_three = input;
    in_three.insert(in_three.end() - dims, static_cast<size_t>(3 - dims), 1);
    return {name, options, in_three, ""};
}

std::vector<bench::Layer> chosen_layers(const Arguments &arguments) {
    const bool named = arguments.layers->count() > 0;
    if (named == !arguments.input_size.empty()) {
        throw InvalidArgument("tune needs --layers, or else --input-size, --out-channels and --kernel-size");
    }
    std::vector<bench::Layer> layers = named ? arguments.choice.read() : std::vector{described_layer(arguments)};
    for (const bench::Layer &layer : layers) {  // all mistakes before the first measurement
        ConvTranspose3d(layer.options).plan(layer.input_size, Layout::ncdhw);
        if (layer.input_size.size() == 5 && layer.input_size.front() == 0) {
            throw InvalidArgument("an empty batch takes no time to measure");
        }
    }
    return layers;
}

class Table {
public:
    explicit Table(const std::vector<bench::Layer> &layers) {
        for (const bench::Layer &layer : layers) {
            layer_width_ = std::max(layer_width_, static_cast<int>(layer.name.size()));
        }
        for (const Variant &v : variants()) {
            variant_width_ = std::max(variant_width_, static_cast<int>(v.name.size()));
        }
        print("layer", "layout", "planned", "rows", "ms", "winner", "rows", "ms", "gain");
    }

    void print(const std::string &layer, Layout layout, const bench::Candidate &planned,
               const bench::Candidate &winner) const {
        const auto rows = [](const bench::Candidate &c) { return std::to_string(c.rows_per_task); };
        const auto milliseconds = [](const bench::Candidate &c) { return format("%.3f", c.seconds * 1e3); };
        const auto name = [](const bench::Candidate &c) { return c.variant.empty() ? "two variants" : c.variant; };
        print(layer, to_string(layout), name(planned), rows(planned), milliseconds(planned), name(winner), rows(winner),
              milliseconds(winner), format("%.2fx", planned.seconds / winner.seconds));
    }

private:
    void print(const std::string &layer, const std::string &layout, const std::string &planned,
               const std::string &planned_rows, const std::string &planned_time, const std::string &winner,
               const std::string &winner_rows, const std::string &winner_time, const std::string &gain) const {
        std::cout << format("%-*s  %-6s  %-*s %4s %9s  %-*s %4s %9s  %s\n", layer_width_, layer.c_str(), layout.c_str(),
                            variant_width_, planned.c_str(), planned_rows.c_str(), planned_time.c_str(), variant_width_,
                            winner.c_str(), winner_rows.c_str(), winner_time.c_str(), gain.c_str())
                  << std::flush;
    }

    int layer_width_ = 5, variant_width_ = 7;
};

void run_tune(const Arguments &arguments) {
    forget_wisdom();  // so that the planner's own choice is measured
    const std::vector<bench::Layer> layers = chosen_layers(arguments);
    const WisdomFile file(arguments.wisdom);
    const std::vector<Layout> &layouts = arguments.choice.layouts;
    const Types &types = arguments.layer.types;
    const auto total = static_cast<double>(layers.size() * layouts.size());
    std::cout << num_threads() << " threads, winners are kept in " << file.path() << '\n'
              << operator_text(arguments.op) << '\n';
    const Table table(layers);
    Progress progress;
    double done = 0;
    int measured = 0, left_out = 0;
    for (const bench::Layer &layer : layers) {
        for (Layout layout : layouts) {
            const bench::Tuning tuning = bench::tune(
                layer, layout,
                [&](double fraction) {
                    progress.show((done + fraction) / total, layer.name + " " + to_string(layout));
                },
                types, arguments.op);
            done++;
            measured += tuning.measured;
            left_out += tuning.left_out;
            progress.clear();
            table.print(layer.name, layout, tuning.planned, tuning.winner);
            if (tuning.winner.variant.empty()) {
                continue;  // two variants are the planner's own choice only
            }
            file.keep({layer.options,
                       layer.input_size,
                       {},
                       layout,
                       num_threads(),
                       tuning.winner.variant,
                       tuning.winner.rows_per_task,
                       tuning.winner.seconds,
                       tuning.measured,
                       types,
                       arguments.op});
        }
    }
    std::cout << "\nmeasured " << measured << " variants and splits; left out " << left_out
              << " variants that were expected to take more than three times the least\n";
}

}  // namespace

void add_tune(CLI::App &app) {
    CLI::App *command =
        app.add_subcommand("tune", "Measure what can run a layer, and remember the winner for later runs");
    const auto arguments = std::make_shared<Arguments>();
    ConvTranspose3dOptions &options = arguments->layer.options;
    arguments->layers =
        add_layer_choice(*command, arguments->choice, "Layers of the table, or all; or say one with --input-size");
    const int &dims = arguments->layer.dims;
    CLI::Option *dimensions = add_dims(*command, arguments->layer.dims);
    CLI::Option *input_size = add_input_size(*command, dims, arguments->input_size);
    CLI::Option *out_channels = add_integer(*command, "--out-channels", options.out_channels, "Channels of the output");
    CLI::Option *kernel_size = add_triple(*command, dims, "--kernel-size", options.kernel_size, "Size of the kernel");
    input_size->needs(out_channels)->needs(kernel_size);
    dimensions->needs(input_size);
    for (CLI::Option *option : add_geometry_arguments(*command, arguments->layer)) {
        option->needs(input_size);
    }
    add_operator(*command, arguments->op);
    add_types(*command, arguments->layer.types, "f32");
    add_threads(*command);
    add_text(*command, "--wisdom", arguments->wisdom, "FILE",
             "File of winners to add to, also for several tunes at once (default: $UNSTRIDE_WISDOM, or else "
             "~/.config/unstride/wisdom)");
    command->callback([arguments] { run_tune(*arguments); });
}

}  // namespace unstride::tools
