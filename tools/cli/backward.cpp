#include <algorithm>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "arguments.h"
#include "commands.h"
#include "layer_files.h"
#include "tools/files/npy.h"
#include "tools/files/output_file.h"
#include "tools/files/text.h"
#include "wisdom_file.h"

namespace unstride::tools {

namespace {

// The file of a gradient; no path if the gradient is not asked for.
struct Gradient {
    Operator op;
    const char *option;
    std::string path;
};

struct Arguments {
    std::string input, weight, grad_output;
    Gradient grad_input{Operator::input_gradient, "--grad-input", {}};
    Gradient grad_weight{Operator::weight_gradient, "--grad-weight", {}};
    Gradient grad_bias{Operator::bias_gradient, "--grad-bias", {}};
    Shape input_size;
    LayerArguments layer;
    CLI::Option *types = nullptr, *kernel_size = nullptr, *out_channels = nullptr;
    std::string wisdom;

    bool has_kernel_size() const {
        return !weight.empty() || kernel_size->count() > 0;
    }
    bool has_out_channels() const {
        return !weight.empty() || out_channels->count() > 0;
    }
    bool has_input_size() const {
        return !input.empty() || !input_size.empty();
    }

    // The gradients that are asked for.
    std::vector<const Gradient *> asked() const {
        std::vector<const Gradient *> gradients;
        for (const Gradient *gradient : {&grad_input, &grad_weight, &grad_bias}) {
            if (!gradient->path.empty()) {
                gradients.push_back(gradient);
            }
        }
        return gradients;
    }
};

void check_needs(const Arguments &a) {
    const auto need = [](const Gradient &gradient, bool there, const std::string &what) {
        if (!gradient.path.empty() && !there) {
            throw InvalidArgument(std::string(gradient.option) + " needs " + what);
        }
    };
    if (a.asked().empty()) {
        throw InvalidArgument("one of --grad-input, --grad-weight and --grad-bias is needed, or several");
    }
    need(a.grad_input, !a.weight.empty(), "--weight");
    need(a.grad_input, a.has_input_size(), "--input, or else --input-size");
    need(a.grad_weight, !a.input.empty(), "--input");
    need(a.grad_weight, a.has_kernel_size() && a.has_out_channels(),
         "--weight, or else --kernel-size and --out-channels");
}

// The arrays that are read, and the sizes of a layer's input and output that they or the options tell, in the order of
// Shape. An array without a file has no elements.
struct Read {
    NpyArray input, weight, grad_output;
    Shape input_sizes;  // empty if they are not known
    Shape grad_output_sizes;
};

// Reads the files, and completes the options of the layer. What the gradients that are asked for do not depend on, and
// nothing tells, gets the least value.
Read read_files(const Arguments &arguments, LayerArguments &layer) {
    Read read;
    const int dims = layer.dims;
    read.grad_output = read_npy(arguments.grad_output);
    read.grad_output_sizes = from_file_order(read.grad_output.sizes, layer.layout, dims);
    const auto channels_of = [&](const Shape &sizes) {
        const auto rank = static_cast<int>(sizes.size());
        return rank == dims + 1 || rank == dims + 2 ? sizes.end()[-dims - 1] : layer.options.groups;
    };
    read.input_sizes = arguments.input_size;
    if (!arguments.input.empty()) {
        read.input = read_npy(arguments.input);
        read.input_sizes = from_file_order(read.input.sizes, layer.layout, dims);
    }
    if (!arguments.weight.empty()) {
        read.weight = read_npy(arguments.weight);
        take_weight_shape(layer, read.weight, arguments.weight);
        return read;
    }
    layer.options.in_channels = channels_of(read.input_sizes);
    if (!arguments.has_out_channels()) {
        layer.options.out_channels = channels_of(read.grad_output_sizes);
    }
    if (!arguments.has_kernel_size()) {
        layer.options.kernel_size = 1;
    }
    return read;
}

// Returns the argument output_size with which the layer makes an output of these sizes from such an input: empty if its
// own output padding does. Throws InvalidArgument if no output of the layer has them.
Shape output_size_of(const ConvTranspose &layer, const Shape &input, const Shape &output, const Shape &asked) {
    const auto makes = [&](const Shape &size) { return layer.output_shape(input, size) == output; };
    if (!asked.empty()) {
        if (!makes(asked)) {
            throw InvalidArgument("--output-size: grad_output has another size: " + shape_text(output));
        }
        return asked;
    }
    try {
        if (makes({})) {
            return {};
        }
    } catch (const InvalidArgument &) {
        // Another output padding may make an output where the layer's own makes none.
    }
    const auto dimensions = std::min(static_cast<std::ptrdiff_t>(output.size()), std::ptrdiff_t{layer.spatial()});
    const Shape space(output.end() - dimensions, output.end());
    if (!makes(space)) {
        throw InvalidArgument("expected grad_output of size " + shape_text(layer.output_shape(input, space)) +
                              ", but got " + shape_text(output));
    }
    return space;
}

// Makes the output files, all of different names.
std::vector<std::unique_ptr<OutputFile>> make_files(const std::vector<const Gradient *> &gradients) {
    std::vector<std::unique_ptr<OutputFile>> files;
    for (const Gradient *gradient : gradients) {
        files.push_back(std::make_unique<OutputFile>(gradient->path));
        for (size_t other = 0; other + 1 < files.size(); other++) {
            if (files[other]->target() == files.back()->target()) {
                throw InvalidArgument(std::string(gradients[other]->option) + " and " + gradient->option +
                                      " name the same file");
            }
        }
    }
    return files;
}

// A gradient that is computed, with its sizes as its file has them.
struct Result {
    Tensor values;
    Shape file_sizes;
    std::string speed;  // for the report
};

// Computes one gradient. All arrays are in the layer's layout but those of weight and bias.
Result compute(const ConvTranspose &layer, const Read &read, const LayerArguments &arguments, Operator op,
               const Shape &output_size) {
    const int dims = arguments.dims;
    const Layout layout = arguments.layout;
    const View<const void> grad_output = view_of(read.grad_output, layout, dims);
    const auto speed_of = [&](double seconds) {
        const Plan plan = layer.plan(read.input_sizes, layout, output_size, arguments.types, op);
        return format("%.3f ms, %.1f GFLOP/s, ", seconds * 1e3, 2 * plan.multiply_adds / seconds * 1e-9) +
               plan.variant.name;
    };
    if (op == Operator::input_gradient) {
        Tensor values(read.input_sizes, layout, dims, arguments.types.output);
        const double seconds = seconds_of([&] { layer.input_gradient(grad_output, values.view<void>()); });
        return {std::move(values), to_file_order(read.input_sizes, layout, dims), speed_of(seconds)};
    }
    if (op == Operator::weight_gradient) {
        const Shape sizes = layer.weight_shape();
        Tensor values(sizes, Layout::ncdhw, dims, arguments.types.output);
        const View<const void> input = view_of(read.input, layout, dims);
        const double seconds = seconds_of([&] { layer.weight_gradient(input, grad_output, values.view<void>()); });
        return {std::move(values), sizes, speed_of(seconds)};
    }
    const int64_t channels = layer.options().out_channels;
    Tensor values({channels, 1}, Layout::ncdhw, 1, arguments.types.output);
    const View<void> sums(values.data<void>(), arguments.types.output, {channels}, {1});
    const double seconds = seconds_of([&] { layer.bias_gradient(grad_output, sums); });
    return {std::move(values), {channels}, format("%.3f ms", seconds * 1e3)};
}

void run_backward(const Arguments &arguments) {
    check_needs(arguments);
    use_wisdom(arguments.wisdom);
    const std::vector<const Gradient *> asked = arguments.asked();
    const std::vector<std::unique_ptr<OutputFile>> files = make_files(asked);
    LayerArguments layer_arguments = arguments.layer;
    const Read read = read_files(arguments, layer_arguments);
    layer_arguments.options.bias = false;
    layer_arguments.types = choose_types(*arguments.types, layer_arguments.types, "a grad_output",
                                         read.grad_output.dtype, arguments.grad_output);
    std::vector<Operator> operators;
    for (const Gradient *gradient : asked) {
        operators.push_back(gradient->op);
    }
    ConvTranspose layer = layer_arguments.make_layer(operators);
    if (!arguments.weight.empty()) {
        with_values(read.weight, [&](const auto *values) { layer.set_weight(values, read.weight.sizes); });
    }
    Shape output_size;
    if (arguments.has_input_size() && arguments.has_kernel_size()) {
        output_size = output_size_of(layer, read.input_sizes, read.grad_output_sizes, layer_arguments.output_size);
    }

    std::string report = "grad_output  " + shape_text(read.grad_output.sizes) + ' ' +
                         to_string(layer_arguments.layout) + "\ntype         " + to_string(layer_arguments.types) +
                         (layer.device() == Device::cpu ? "\nthreads      " + std::to_string(num_threads())
                                                        : format("\ndevice       %s", to_string(layer.device()))) +
                         '\n';
    std::vector<OutputFile *> written;
    for (size_t i = 0; i < asked.size(); i++) {
        const Result result = compute(layer, read, layer_arguments, asked[i]->op, output_size);
        write_npy(*files[i], result.file_sizes, layer_arguments.types.output, result.values.data<void>());
        written.push_back(files[i].get());
        report += format("%-11s  ", asked[i]->option + 2) + shape_text(result.file_sizes) + " -> " + asked[i]->path +
                  ": " + result.speed + '\n';
    }
    std::cout << report << std::flush;
    OutputFile::commit_all(written);
}

}  // namespace

void add_backward(CLI::App &app) {
    CLI::App *command = app.add_subcommand(
        "backward", "Compute gradients of a layer from that of its output, for arrays in .npy files");
    const auto arguments = std::make_shared<Arguments>();
    ConvTranspose3dOptions &options = arguments->layer.options;
    const int &dims = arguments->layer.dims;
    add_dims(*command, arguments->layer.dims);
    add_text(*command, "--grad-output", arguments->grad_output, "G.npy",
             "Gradient with respect to the output, f32, f64, f16 or bf16: (N, C_out, D', H', W') or without N; in "
             "ndhwc C_out is last")
        ->required();
    CLI::Option *input = add_text(*command, "--input", arguments->input, "X.npy",
                                  "Input, of the type and layout of grad-output; for --grad-weight");
    CLI::Option *weight = add_text(*command, "--weight", arguments->weight, "W.npy",
                                   "Weight, of any of these types: (C_in, C_out / groups, KD, KH, KW); for "
                                   "--grad-input");
    add_text(*command, "--grad-input", arguments->grad_input.path, "GX.npy",
             "Gradient with respect to the input to write, of its sizes and in its layout");
    add_text(*command, "--grad-weight", arguments->grad_weight.path, "GW.npy",
             "Gradient with respect to the weight to write, of its sizes");
    add_text(*command, "--grad-bias", arguments->grad_bias.path, "GB.npy",
             "Gradient with respect to the bias to write, (C_out)");
    add_input_size(*command, dims, arguments->input_size)->excludes(input);
    arguments->out_channels = add_integer(*command, "--out-channels", options.out_channels,
                                          "Channels of the output, where there is no --weight")
                                  ->excludes(weight);
    arguments->kernel_size = add_triple(*command, dims, "--kernel-size", options.kernel_size,
                                        "Size of the kernel, where there is no --weight")
                                 ->excludes(weight);
    arguments->types = add_types(*command, arguments->layer.types, "that of grad-output");
    add_layer_arguments(*command, arguments->layer);
    add_wisdom_argument(*command, arguments->wisdom);
    command->callback([arguments] { run_backward(*arguments); });
}

}  // namespace unstride::tools
