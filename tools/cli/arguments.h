#ifndef UNSTRIDE_TOOLS_ARGUMENTS_H
#define UNSTRIDE_TOOLS_ARGUMENTS_H

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "unstride/unstride.h"

namespace unstride::tools {

// Throws InvalidArgument, whose text says what an option takes, and what it got.
[[noreturn]] void refuse(const std::string &name, const std::string &expected, const std::string &text);

// Returns the parts of a text such as "a,b,c", also where they are empty.
std::vector<std::string> split(const std::string &text);

// Each of these adds an option that parses its text into `value`, which must outlive the parsing. A text that it cannot
// take throws InvalidArgument, which names the option and what it takes.

// Adds an option for any text but an empty one; `form` stands for it in the help.
CLI::Option *add_text(CLI::App &app, const std::string &name, std::string &value, const std::string &form,
                      const std::string &help);
CLI::Option *add_integer(CLI::App &app, const std::string &name, int64_t &value, const std::string &help);
// Adds --dims, the number of dimensions of space. It has to come before the options that depend on it.
CLI::Option *add_dims(CLI::App &app, int &dims);
// Adds an option for one integer for all dimensions of space, or one for each: depth,height,width in three. Dimensions
// that there are not keep the option's default.
CLI::Option *add_triple(CLI::App &app, const int &dims, const std::string &name, Triple &value,
                        const std::string &help);
// Adds an option for comma-separated names, none of which may be empty.
CLI::Option *add_names(CLI::App &app, const std::string &name, std::vector<std::string> &value,
                       const std::string &help);
CLI::Option *add_layout(CLI::App &app, const std::function<void(Layout)> &set, const std::string &help);
CLI::Option *add_device(CLI::App &app, Device &value);
CLI::Option *add_operator(CLI::App &app, Operator &value);
// Returns the line of a report that names an operator; nothing for the forward.
std::string operator_text(Operator op);
// Adds --dtype, whose help says which types there are without it.
CLI::Option *add_types(CLI::App &app, Types &value, const std::string &otherwise);
// Adds --planning, whose help says what happens without it.
CLI::Option *add_planning(CLI::App &app, std::optional<Planning> &value, const std::string &otherwise);
// Adds --threads, which sets the process's number of threads.
CLI::Option *add_threads(CLI::App &app);

// Options of the commands that run or plan a layer.
struct LayerArguments {
    int dims = 3;  // how many dimensions of space there are
    ConvTranspose3dOptions options;
    Shape output_size;  // if it is empty, the size follows from options.output_padding
    Layout layout = Layout::ncdhw;
    Types types;
    Device device = Device::cpu;
    std::string variant;  // if it is empty, the planner chooses

    // Makes the layer on its device, and forces the variant if there is one. Throws InvalidArgument for a variant that
    // computes none of `asked`, as it would not run.
    ConvTranspose make_layer(const std::vector<Operator> &asked) const;
};

// Adds --stride, --padding, --padding-end, --output-padding, --dilation, --groups and --output-size.
std::vector<CLI::Option *> add_geometry_arguments(CLI::App &app, LayerArguments &arguments);

// Adds the options of add_geometry_arguments, and --layout, --device, --variant and --threads.
void add_layer_arguments(CLI::App &app, LayerArguments &arguments);

// Adds --input-size, which takes N,C,D,H,W in three dimensions, or C,D,H,W without a batch.
CLI::Option *add_input_size(CLI::App &app, const int &dims, Shape &value);

}  // namespace unstride::tools

#endif
