#include "arguments.h"

#include <algorithm>
#include <charconv>
#include <climits>

#include "layer_choice.h"

namespace unstride::tools {

void refuse(const std::string &name, const std::string &expected, const std::string &text) {
    throw InvalidArgument(name + ": expected " + expected + ", but got '" + text + "'");
}

std::vector<std::string> split(const std::string &text) {
    std::vector<std::string> parts(1);
    for (char c : text) {
        if (c == ',') {
            parts.emplace_back();
        } else {
            parts.back() += c;
        }
    }
    return parts;
}

namespace {

// Reads comma-separated integers that fit in 64 bits; there have to be as many as one of `counts` says.
std::vector<int64_t> parse_integers(const std::string &name, const std::string &text, std::initializer_list<int> counts,
                                    const std::string &expected) {
    std::vector<int64_t> values;
    for (const std::string &part : split(text)) {
        const char *end = part.data() + part.size();
        int64_t value = 0;
        const auto [stop, error] = std::from_chars(part.data(), end, value);
        if (error != std::errc() || stop != end) {
            refuse(name, expected, text);
        }
        values.push_back(value);
    }
    if (std::find(counts.begin(), counts.end(), static_cast<int>(values.size())) == counts.end()) {
        refuse(name, expected, text);
    }
    return values;
}

CLI::Option *add_parsed(CLI::App &app, const std::string &name, const std::string &form, const std::string &help,
                        const std::function<void(const std::string &)> &parse) {
    return app.add_option_function<std::string>(name, parse, help)->type_name(form);
}

}  // namespace

CLI::Option *add_text(CLI::App &app, const std::string &name, std::string &value, const std::string &form,
                      const std::string &help) {
    return add_parsed(app, name, form, help, [name, &value](const std::string &text) {
        if (text.empty()) {
            refuse(name, "a name", text);
        }
        value = text;
    });
}

CLI::Option *add_integer(CLI::App &app, const std::string &name, int64_t &value, const std::string &help) {
    return add_parsed(app, name, "N", help, [name, &value](const std::string &text) {
        value = parse_integers(name, text, {1}, "an integer").front();
    });
}

namespace {

// How numbers for one to three dimensions of space are called in the help, how many there are in words, and the letters
// of the sizes.
struct Names {
    const char *numbers, *count, *letters;
};

Names names_of(int dims) {
    constexpr Names names[] = {
        {"length", "one", "L"}, {"height,width", "two", "H,W"}, {"depth,height,width", "three", "D,H,W"}};
    return names[dims - 1];
}

// Returns the letters of all sizes of an input or output, with a batch and without.
std::string sizes_of_array(int dims) {
    const std::string unbatched = std::string("C,") + names_of(dims).letters;
    return "N," + unbatched + " or " + unbatched;
}

// Reads what --stride and the like take. Dimensions that there are not keep their value.
Triple parse_triple(int dims, const std::string &name, const std::string &text, Triple value) {
    const Names names = names_of(dims);
    const std::vector<int64_t> numbers =
        parse_integers(name, text, {1, dims},
                       dims == 1 ? "an integer" : std::string("an integer or ") + names.count + " as " + names.numbers);
    const int missing = 3 - dims;
    const auto number = [&](int d) {
        if (d < missing) {
            return value[d];
        }
        return numbers.size() == 1 ? numbers.front() : numbers[static_cast<size_t>(d - missing)];
    };
    return {number(0), number(1), number(2)};
}

constexpr const char *triple_form = "N|D,H,W";

}  // namespace

CLI::Option *add_dims(CLI::App &app, int &dims) {
    const std::string name = "--dims";
    return add_parsed(app, name, "1|2|3",
                      "Dimensions of space (default: 3); in two, sizes have no depth, and in one no height",
                      [name, &dims](const std::string &text) {
                          const int64_t value = parse_integers(name, text, {1}, "1, 2 or 3").front();
                          if (value < 1 || value > 3) {
                              refuse(name, "1, 2 or 3", text);
                          }
                          dims = static_cast<int>(value);
                      });
}

CLI::Option *add_triple(CLI::App &app, const int &dims, const std::string &name, Triple &value,
                        const std::string &help) {
    return add_parsed(app, name, triple_form, help, [name, &dims, &value](const std::string &text) {
        value = parse_triple(dims, name, text, value);
    });
}

CLI::Option *add_layout(CLI::App &app, const std::function<void(Layout)> &set, const std::string &help) {
    const std::string name = "--layout";
    return add_parsed(app, name, "ncdhw|ndhwc", help, [name, set](const std::string &text) {
        for (Layout layout : {Layout::ncdhw, Layout::ndhwc}) {
            if (text == to_string(layout)) {
                set(layout);
                return;
            }
        }
        refuse(name, "ncdhw or ndhwc", text);
    });
}

CLI::Option *add_names(CLI::App &app, const std::string &name, std::vector<std::string> &value,
                       const std::string &help) {
    return add_parsed(app, name, "A,B", help, [name, &value](const std::string &text) {
        value = split(text);
        if (std::find(value.begin(), value.end(), "") != value.end()) {
            refuse(name, "comma-separated names", text);
        }
    });
}

CLI::Option *add_device(CLI::App &app, Device &value) {
    const std::string name = "--device";
    return add_parsed(app, name, "cpu|cuda|opencl", "Where to compute (default: cpu)",
                      [name, &value](const std::string &text) {
                          for (const Device device : {Device::cpu, Device::cuda, Device::opencl}) {
                              if (text == to_string(device)) {
                                  value = device;
                                  return;
                              }
                          }
                          refuse(name, "cpu, cuda or opencl", text);
                      });
}

CLI::Option *add_operator(CLI::App &app, Operator &value) {
    const std::string name = "--operator";
    return add_parsed(app, name, "forward|input_gradient|weight_gradient|bias_gradient",
                      "What is computed with the layer (default: forward)", [name, &value](const std::string &text) {
                          for (const Operator op : {Operator::forward, Operator::input_gradient,
                                                    Operator::weight_gradient, Operator::bias_gradient}) {
                              if (text == to_string(op)) {
                                  value = op;
                                  return;
                              }
                          }
                          refuse(name, "forward, input_gradient, weight_gradient or bias_gradient", text);
                      });
}

std::string operator_text(Operator op) {
    return op == Operator::forward ? "" : std::string("operator    ") + to_string(op) + '\n';
}

CLI::Option *add_planning(CLI::App &app, std::optional<Planning> &value, const std::string &otherwise) {
    const std::string name = "--planning";
    const std::string help = "Estimate which variants are fastest, or try them first (default: " + otherwise + ")";
    return add_parsed(app, name, "estimate|measure", help, [name, &value](const std::string &text) {
        for (const Planning planning : {Planning::estimate, Planning::measure}) {
            if (text == to_string(planning)) {
                value = planning;
                return;
            }
        }
        refuse(name, "estimate or measure", text);
    });
}

CLI::Option *add_types(CLI::App &app, Types &value, const std::string &otherwise) {
    const std::string name = "--dtype", help = "Type of input and output, or of each (default: " + otherwise + ")";
    return add_parsed(app, name, "f32|f64|f16|bf16|f16-f32|bf16-f32", help, [name, &value](const std::string &text) {
        try {
            value = parse_types(text);
        } catch (const InvalidArgument &e) {
            throw InvalidArgument(name + ": " + e.what());
        }
    });
}

CLI::Option *add_threads(CLI::App &app) {
    const std::string name = "--threads";
    return add_parsed(app, name, "N", "Threads to use (default: all processors)", [name](const std::string &text) {
        const int64_t count = parse_integers(name, text, {1}, "an integer").front();
        set_num_threads(static_cast<int>(std::clamp<int64_t>(count, INT_MIN, INT_MAX)));
    });
}

CLI::Option *add_input_size(CLI::App &app, const int &dims, Shape &value) {
    const std::string name = "--input-size";
    return add_parsed(app, name, "N,C,D,H,W", "Sizes of the input in this order, in every layout; without N: unbatched",
                      [name, &dims, &value](const std::string &text) {
                          value = parse_integers(name, text, {dims + 1, dims + 2}, sizes_of_array(dims));
                      });
}

std::vector<CLI::Option *> add_geometry_arguments(CLI::App &app, LayerArguments &arguments) {
    ConvTranspose3dOptions &options = arguments.options;
    const int &dims = arguments.dims;
    const std::string padding_end = "--padding-end", output_size = "--output-size";
    return {
        add_triple(app, dims, "--stride", options.stride, "Stride (default: 1)"),
        add_triple(
            app, dims, "--padding", options.padding,
            "Padding, which the output is cropped by (default: 0); below 0, with --padding-end, it adds outputs"),
        add_parsed(app, padding_end, triple_form,
                   "Padding at the far end, where it is another one; below 0 it adds outputs",
                   [padding_end, &dims, &options](const std::string &text) {
                       options.padding_end = parse_triple(dims, padding_end, text, 0);
                   }),
        add_triple(app, dims, "--output-padding", options.output_padding,
                   "Size added to one side of the output (default: 0)"),
        add_triple(app, dims, "--dilation", options.dilation, "Distance between the kernel's elements (default: 1)"),
        add_integer(app, "--groups", options.groups, "Groups of channels (default: 1)"),
        add_parsed(app, output_size, "D,H,W",
                   "Size of the output in space, or all sizes as N,C,D,H,W in every layout; replaces the output "
                   "padding",
                   [output_size, &dims, &arguments](const std::string &text) {
                       arguments.output_size = parse_integers(output_size, text, {dims, dims + 1, dims + 2},
                                                              names_of(dims).letters + (" or " + sizes_of_array(dims)));
                   })};
}

void add_layer_arguments(CLI::App &app, LayerArguments &arguments) {
    add_geometry_arguments(app, arguments);
    add_layout(
        app, [&arguments](Layout layout) { arguments.layout = layout; },
        "Order of the elements of input and output in memory (default: ncdhw)");
    add_device(app, arguments.device);
    add_text(app, "--variant", arguments.variant, "NAME", "Variant to run, from `unstride list` (default: the plan's)");
    add_threads(app);
}

ConvTranspose LayerArguments::make_layer(const std::vector<Operator> &asked) const {
    ConvTranspose layer(options, dims);
    layer.set_device(device);
    if (!variant.empty()) {
        layer.set_variant(variant);
        const Operator op = find_named(variants(), variant, "--variant").op;
        if (std::find(asked.begin(), asked.end(), op) == asked.end()) {
            throw InvalidArgument("--variant: " + variant + " is for operator " + to_string(op) +
                                  ", which is not asked for");
        }
    }
    return layer;
}

}  // namespace unstride::tools
