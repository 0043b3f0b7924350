#include <iostream>
#include <memory>
#include <optional>
#include <vector>

#include "arguments.h"
#include "commands.h"
#include "tools/files/npy.h"
#include "tools/files/output_file.h"
#include "tools/files/text.h"

namespace unstride::tools {

namespace {

struct Arguments {
    int dims = 3;
    ConvTranspose3dOptions options;
    int64_t seed = 0;
    std::string weight, bias;
};

void init(const Arguments &arguments) {
    OutputFile weight_file(arguments.weight);
    std::optional<OutputFile> bias_file;
    if (!arguments.bias.empty()) {
        bias_file.emplace(arguments.bias);
        if (bias_file->target() == weight_file.target()) {
            throw InvalidArgument("--weight and --bias name the same file");
        }
    }
    if (arguments.seed < 0) {
        throw InvalidArgument("--seed: must not be negative");
    }

    ConvTranspose3dOptions options = arguments.options;
    options.bias = bias_file.has_value();
    ConvTranspose layer(options, arguments.dims);
    layer.reset_parameters(static_cast<uint64_t>(arguments.seed));

    write_npy(weight_file, layer.weight_shape(), layer.weight().data());
    std::cout << "weight  " << shape_text(layer.weight_shape()) << " -> " << arguments.weight << '\n';
    if (bias_file) {
        write_npy(*bias_file, layer.bias_shape(), layer.bias().data());
        std::cout << "bias    " << shape_text(layer.bias_shape()) << " -> " << arguments.bias << '\n';
    }
    std::cout.flush();
    std::vector<OutputFile *> files{&weight_file};
    if (bias_file) {
        files.push_back(&*bias_file);
    }
    OutputFile::commit_all(files);
}

}  // namespace

void add_init(CLI::App &app) {
    CLI::App *command = app.add_subcommand(
        "init", "Write the weights of torch.manual_seed(seed); torch.nn.ConvTranspose3d(...), 2d or 1d, bit for bit");
    const auto arguments = std::make_shared<Arguments>();
    ConvTranspose3dOptions &options = arguments->options;
    add_dims(*command, arguments->dims);
    add_integer(*command, "--in-channels", options.in_channels, "Channels of the input")->required();
    add_integer(*command, "--out-channels", options.out_channels, "Channels of the output")->required();
    add_triple(*command, arguments->dims, "--kernel-size", options.kernel_size, "Size of the kernel")->required();
    add_integer(*command, "--groups", options.groups, "Groups of channels (default: 1)");
    add_integer(*command, "--seed", arguments->seed, "Seed, from 0 (default: 0)");
    add_text(*command, "--weight", arguments->weight, "W.npy", "Weight to write, (C_in, C_out / groups, KD, KH, KW)")
        ->required();
    add_text(*command, "--bias", arguments->bias, "B.npy", "Bias to write, (C_out)");
    command->callback([arguments] { init(*arguments); });
}

}  // namespace unstride::tools
