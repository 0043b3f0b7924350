#include <algorithm>
#include <chrono>
#include <iostream>
#include <memory>
#include <optional>
#include <vector>

#include "activation_argument.h"
#include "arguments.h"
#include "commands.h"
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
};

// Turns sizes as a file of this layout has them, with the channels last in ndhwc, into sizes as Shape has them;
// to_file_order turns them back. Sizes of a rank that no input has stay as they are.
Shape from_file_order(Shape sizes, Layout layout, int dims) {
    const int rank = static_cast<int>(sizes.size());
    if (layout == Layout::ndhwc && (rank == dims + 1 || rank == dims + 2)) {
        std::rotate(sizes.end() - dims - 1, sizes.end() - 1, sizes.end());
    }
    return sizes;
}

Shape to_file_order(Shape sizes, Layout layout, int dims) {
    if (layout == Layout::ndhwc) {
        std::rotate(sizes.end() - dims - 1, sizes.end() - dims, sizes.end());
    }
    return sizes;
}

// Completes `layer.options` with the channels and the kernel's size, which the weight's sizes tell.
void take_weight_shape(LayerArguments &layer, const NpyArray &weight, const std::string &path) {
    const Shape &sizes = weight.sizes;
    ConvTranspose3dOptions &options = layer.options;
    const auto axes = static_cast<size_t>(layer.dims) + 2;
    if (sizes.size() != axes) {
        throw InvalidArgument(path + ": a weight has " + std::to_string(axes) + " dimensions (C_in, C_out / groups" +
                              (layer.dims == 3 ? ", KD" : "") + (layer.dims > 1 ? ", KH" : "") +
                              ", KW), not the shape " + shape_text(sizes));
    }
    options.in_channels = sizes[0];
    if (__builtin_mul_overflow(sizes[1], options.groups, &options.out_channels)) {
        throw InvalidArgument("--groups: too large");
    }
    const auto kernel = [&](size_t d) { return d + axes < 5 ? 1 : sizes[d + axes - 3]; };
    options.kernel_size = Triple(kernel(0), kernel(1), kernel(2));
}

// Returns the types that --dtype asks for, or else the input's type for both.
Types choose_types(const Arguments &arguments, DType input) {
    const Types types = arguments.types->count() > 0 ? arguments.layer.types : input;
    if (types.input != input) {
        throw InvalidArgument("--dtype: " + to_string(types) + " needs an input of " + to_string(types.input) +
                              ", but " + arguments.input + " has " + to_string(input));
    }
    return types;
}

// Calls `use` with a pointer to the elements, which has their type.
template<typename Use>
void with_values(const NpyArray &array, const Use &use) {
    with_type(array.dtype, [&](auto *null) {
        use(reinterpret_cast<const std::remove_pointer_t<decltype(null)> *>(array.values.data()));
    });
}

View<const void> view_of(const NpyArray &array, Layout layout, int dims) {
    const Shape sizes = from_file_order(array.sizes, layout, dims);
    return {array.values.data(), array.dtype, sizes, dense_strides(sizes, layout, dims)};
}

template<typename Call>
double seconds_of(const Call &call) {
    const auto start = std::chrono::steady_clock::now();
    call();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

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
    use_wisdom(arguments.wisdom);
    OutputFile output_file(arguments.output);
    LayerArguments layer_arguments = arguments.layer;
    const Layout layout = layer_arguments.layout;
    const NpyArray input = read_npy(arguments.input);
    const NpyArray weight = read_npy(arguments.weight);
    take_weight_shape(layer_arguments, weight, arguments.weight);
    const Types types = choose_types(arguments, input.dtype);
    layer_arguments.types = types;
    layer_arguments.options.bias = !arguments.bias.empty();

    const int dims = layer_arguments.dims;
    ConvTranspose layer = layer_arguments.make_layer();
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
    Tensor output(output_sizes, layout, dims, types.output);
    layer.set_activation(arguments.activation);
    const NpyArray residual = arguments.residual.empty() ? NpyArray() : read_npy(arguments.residual);
    const auto forward = [&] {
        if (arguments.residual.empty()) {
            layer.forward(view_of(input, layout, dims), output.view<void>());
        } else {
            layer.forward(view_of(input, layout, dims), output.view<void>(), view_of(residual, layout, dims));
        }
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

    const Shape file_sizes = to_file_order(output_sizes, layout, dims);
    write_npy(output_file, file_sizes, types.output, output.data<void>());
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
    command->callback([arguments] { run(*arguments); });
}

}  // namespace unstride::tools
