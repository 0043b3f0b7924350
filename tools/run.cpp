#include <chrono>
#include <iostream>
#include <memory>

#include "arguments.h"
#include "commands.h"
#include "npy.h"
#include "output_file.h"
#include "text.h"
#include "wisdom_file.h"

namespace unstride::tools {

namespace {

struct Arguments {
    std::string input, weight, bias, output;
    LayerArguments layer;
    std::string wisdom;
};

// Sizes as in a file of this layout, with the channels last for ndhwc, to sizes as in Shape, and back. Sizes of another
// rank than 4 or 5 stay as they are.
Shape from_file_order(Shape sizes, Layout layout) {
    const size_t rank = sizes.size();
    if (layout == Layout::ndhwc && (rank == 4 || rank == 5)) {
        const int64_t channels = sizes.back();
        sizes.pop_back();
        sizes.insert(sizes.end() - 3, channels);
    }
    return sizes;
}

Shape to_file_order(Shape sizes, Layout layout) {
    if (layout == Layout::ndhwc) {
        const auto channels = sizes.end() - 4;
        sizes.push_back(*channels);
        sizes.erase(sizes.end() - 5);
    }
    return sizes;
}

// Completes `layer.options` with what the weight's sizes say.
void take_weight_shape(LayerArguments &layer, const NpyArray &weight, const std::string &path) {
    const Shape &sizes = weight.sizes;
    ConvTranspose3dOptions &options = layer.options;
    if (sizes.size() != 5) {
        throw InvalidArgument(path + ": a weight has 5 dimensions (C_in, C_out / groups, KD, KH, KW), not the shape " +
                              shape_text(sizes));
    }
    options.in_channels = sizes[0];
    if (__builtin_mul_overflow(sizes[1], options.groups, &options.out_channels)) {
        throw InvalidArgument("--groups: too large");
    }
    options.kernel_size = Triple(sizes[2], sizes[3], sizes[4]);
}

void run(const Arguments &arguments) {
    use_wisdom(arguments.wisdom);
    OutputFile output_file(arguments.output);
    LayerArguments layer_arguments = arguments.layer;
    const Layout layout = layer_arguments.layout;
    const NpyArray input = read_npy(arguments.input);
    const NpyArray weight = read_npy(arguments.weight);
    take_weight_shape(layer_arguments, weight, arguments.weight);
    layer_arguments.options.bias = !arguments.bias.empty();

    ConvTranspose3d layer = layer_arguments.make_layer();
    layer.set_weight(weight.values.data(), weight.sizes);
    if (!arguments.bias.empty()) {
        const NpyArray bias = read_npy(arguments.bias);
        layer.set_bias(bias.values.data(), bias.sizes);
    }

    const Shape input_sizes = from_file_order(input.sizes, layout);
    const Shape output_sizes = layer.output_shape(input_sizes, layer_arguments.output_size);
    const Plan plan = layer.plan(input_sizes, layout, layer_arguments.output_size);
    Tensor output(output_sizes, layout);
    const auto start = std::chrono::steady_clock::now();
    layer.forward(dense_view(input.values.data(), input_sizes, layout), output.view());
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();

    const Shape file_sizes = to_file_order(output_sizes, layout);
    write_npy(output_file, file_sizes, output.data());
    std::cout << "input    " << shape_text(input.sizes) << ' ' << to_string(layout) << '\n'
              << "weight   " << shape_text(weight.sizes) << '\n'
              << "bias     " << (arguments.bias.empty() ? "none" : shape_text(layer.bias_shape())) << '\n'
              << "output   " << shape_text(file_sizes) << " -> " << arguments.output << '\n'
              << "variant  " << plan.variant.name << '\n'
              << (layer.device() == Device::cpu ? "threads  " + std::to_string(plan.threads) : format("device   %s", to_string(layer.device()))) << '\n'
              << format("forward  %.3f ms, %.1f GFLOP/s (one call, %s included)\n", seconds * 1e3,
                        2 * plan.multiply_adds / seconds * 1e-9,
                        layer.device() == Device::cpu ? "packing of the weights" : "compilation by the driver, and copies to and from the device,")
              << std::flush;
    output_file.commit();
}

}  // namespace

void add_run(CLI::App &app) {
    CLI::App *command = app.add_subcommand("run", "Apply a transposed convolution to an array in a .npy file");
    const auto arguments = std::make_shared<Arguments>();
    add_text(*command, "--input", arguments->input, "X.npy",
             "Input, f32: (N, C, D, H, W) or (C, D, H, W); in ndhwc C is last")
        ->required();
    add_text(*command, "--weight", arguments->weight, "W.npy", "Weight, f32: (C_in, C_out / groups, KD, KH, KW)")
        ->required();
    add_text(*command, "--bias", arguments->bias, "B.npy", "Bias, f32: (C_out)");
    add_text(*command, "--output", arguments->output, "Y.npy", "Output to write, in the input's layout")->required();
    add_layer_arguments(*command, arguments->layer);
    add_wisdom_argument(*command, arguments->wisdom);
    command->callback([arguments] { run(*arguments); });
}

}  // namespace unstride::tools
