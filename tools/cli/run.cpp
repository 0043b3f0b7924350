#include <iostream>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "activation_argument.h"
#include "arguments.h"
#include "commands.h"
#include "layer_files.h"
#include "slabs.h"
#include "tools/files/npy.h"
#include "tools/files/output_file.h"
#include "tools/files/text.h"
#include "wisdom_file.h"

namespace unstride::tools {

namespace {

struct Arguments {
    std::string input, weight, bias, residual, output;
    Activation activation;
    LayerArguments layer;
    CLI::Option *types = nullptr;
    std::string wisdom;
    std::optional<Planning> planning;
    bool repeat = false;
    int64_t slab_bytes = int64_t{256} << 20;
};

// Returns the line about time and speed. `times` has the seconds of one call, or of two: the second one, into the same
// memory, takes as long as each further one. Before these there were `trials`, which tried candidates.
std::string time_text(const std::vector<double> &times, int trials, double multiply_adds, Device device) {
    const double seconds = times.back(), gflops = 2 * multiply_adds / seconds * 1e-9;
    const std::string speed = format("forward  %.3f ms, %.1f GFLOP/s", seconds * 1e3, gflops);
    if (trials > 0) {
        return speed + format(" (after %d calls that tried candidates)\n", trials);
    }
    if (times.size() > 1) {
        return speed + format(" (second call; the first took %.3f ms)\n", times.front() * 1e3);
    }
    const char *included = device == Device::cpu ? "packing of the weights"
                                                 : "compilation by the driver, and copies to and from the device,";
    return speed + " (one call, " + included + " included)\n";
}

void run(const Arguments &arguments) {
    if (arguments.slab_bytes < 1) {
        throw InvalidArgument("--slab-bytes must be positive, but got " + std::to_string(arguments.slab_bytes));
    }
    use_wisdom(arguments.wisdom);
    OutputFile output_file(arguments.output);
    LayerArguments layer_arguments = arguments.layer;
    const Layout layout = layer_arguments.layout;
    const NpyArray input = read_npy(arguments.input);
    const NpyArray weight = read_npy(arguments.weight);
    take_weight_shape(layer_arguments, weight, arguments.weight);
    const Types types = choose_types(*arguments.types, layer_arguments.types, "an input", input.dtype, arguments.input);
    layer_arguments.types = types;
    layer_arguments.options.bias = !arguments.bias.empty();

    const int dims = layer_arguments.dims;
    ConvTranspose layer = layer_arguments.make_layer({Operator::forward});
    if (arguments.planning) {
        layer.set_planning(*arguments.planning);
    }
    with_values(weight, [&](const auto *values) { layer.set_weight(values, weight.sizes); });
    if (!arguments.bias.empty()) {
        const NpyArray bias = read_npy(arguments.bias);
        with_values(bias, [&](const auto *values) { layer.set_bias(values, bias.sizes); });
    }

    const Shape input_sizes = from_file_order(input.sizes, layout, dims);
    const Shape output_sizes = layer.output_shape(input_sizes, layer_arguments.output_size);
    const auto plan_now = [&] { return layer.plan(input_sizes, layout, layer_arguments.output_size, types); };
    Plan plan = plan_now();
    const Shape file_sizes = to_file_order(output_sizes, layout, dims);
    const View<void> output(map_npy(output_file, file_sizes, types.output), types.output, output_sizes,
                            dense_strides(output_sizes, layout, dims), dims);
    layer.set_activation(arguments.activation);
    const NpyArray residual = arguments.residual.empty() ? NpyArray() : read_npy(arguments.residual);
    const auto forward = [&] {
        const View<const void> from = view_of(input, layout, dims);
        const bool adds = !arguments.residual.empty();
        const View<const void> added = adds ? view_of(residual, layout, dims) : View<const void>();
        // Blocks are not measured.
        const int64_t slab_bytes = plan.under_trial ? std::numeric_limits<int64_t>::max() : arguments.slab_bytes;
        forward_in_slabs(layer, from, output, layer_arguments.output_size, adds ? &added : nullptr, slab_bytes);
    };
    int trials = 0;
    // An input that minimal filters cannot take has trials of its own, of which the plan knows nothing.
    for (; plan.under_trial && trials < most_trials; trials++) {
        forward();
        plan = plan_now();
    }
    std::vector<double> times{seconds_of(forward)};
    if (arguments.repeat) {
        times.push_back(seconds_of(forward));
    }

    std::cout << "input    " << shape_text(input.sizes) << ' ' << to_string(layout) << '\n'
              << "weight   " << shape_text(weight.sizes) << '\n'
              << "bias     " << (arguments.bias.empty() ? "none" : shape_text(layer.bias_shape())) << '\n'
              << "output   " << shape_text(file_sizes) << " -> " << arguments.output << '\n'
              << "type     " << to_string(types) << '\n'
              << "variant  " << plan.variant.name << '\n'
              << (trials > 0 ? "reason   " + plan.reason + '\n' : "")
              << (layer.device() == Device::cpu ? "threads  " + std::to_string(plan.threads)
                                                : format("device   %s", to_string(layer.device())))
              << '\n'
              << time_text(times, trials, plan.multiply_adds, layer.device()) << std::flush;
    output_file.commit();
}

}  // namespace

void add_run(CLI::App &app) {
    CLI::App *command = app.add_subcommand("run", "Apply a transposed convolution to an array in a .npy file");
    const auto arguments = std::make_shared<Arguments>();
    add_dims(*command, arguments->layer.dims);
    add_text(*command, "--input", arguments->input, "X.npy",
             "Input, f32, f64, f16 or bf16: (N, C, D, H, W) or (C, D, H, W); in ndhwc C is last")
        ->required();
    add_text(*command, "--weight", arguments->weight, "W.npy",
             "Weight, of any of these types: (C_in, C_out / groups, KD, KH, KW)")
        ->required();
    add_text(*command, "--bias", arguments->bias, "B.npy", "Bias, of any of these types: (C_out)");
    add_text(*command, "--residual", arguments->residual, "R.npy",
             "Added to the output: of its type and sizes, and in its layout");
    add_activation(*command, arguments->activation);
    add_text(
        *command, "--output", arguments->output, "Y.npy",
        "Output to write, whole or not at all, in the input's layout; keeps the permissions of a file that it replaces")
        ->required();
    arguments->types = add_types(*command, arguments->layer.types, "the input's");
    add_layer_arguments(*command, arguments->layer);
    add_wisdom_argument(*command, arguments->wisdom);
    add_planning(*command, arguments->planning, "$UNSTRIDE_PLANNING, or else estimate");
    command->add_flag("--repeat", arguments->repeat,
                      "Compute twice, and report the second call, which packs no weights and has its memory already");
    add_integer(*command, "--slab-bytes", arguments->slab_bytes,
                "Compute about as many bytes of the output at a time, for arrays larger than memory (default: 2^28)");
    command->callback([arguments] { run(*arguments); });
}

}  // namespace unstride::tools
