#include "arguments.h"

#include <algorithm>
#include <charconv>
#include <climits>

namespace unstride::tools {

namespace {

[[noreturn]] void refuse(const std::string &name, const std::string &expected, const std::string &text) {
    throw InvalidArgument(name + ": expected " + expected + ", but got '" + text + "'");
}

// The parts of "a,b,c", also where they are empty.
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

// Comma-separated integers that fit in 64 bits, as many as one of `counts` says.
std::vector<int64_t> parse_integers(const std::string &name, const std::string &text,
                                    std::initializer_list<size_t> counts, const std::string &expected) {
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
    if (std::find(counts.begin(), counts.end(), values.size()) == counts.end()) {
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

template<typename Value>
CLI::Option *add_parsed_triple(CLI::App &app, const std::string &name, Value &value, const std::string &help) {
    return add_parsed(app, name, "N|D,H,W", help, [name, &value](const std::string &text) {
        const auto v = parse_integers(name, text, {1, 3}, "an integer or three as depth,height,width");
        value = v.size() == 1 ? Triple(v[0]) : Triple(v[0], v[1], v[2]);
    });
}

}  // namespace

CLI::Option *add_triple(CLI::App &app, const std::string &name, Triple &value, const std::string &help) {
    return add_parsed_triple(app, name, value, help);
}

CLI::Option *add_triple(CLI::App &app, const std::string &name, std::optional<Triple> &value, const std::string &help) {
    return add_parsed_triple(app, name, value, help);
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
    return add_parsed(app, name, "cpu|cuda|opencl", "Where to compute (default: cpu)", [name, &value](const std::string &text) {
        for (const Device device : {Device::cpu, Device::cuda, Device::opencl}) {
            if (text == to_string(device)) {
                value = device;
                return;
            }
        }
        refuse(name, "cpu, cuda or opencl", text);
    });
}

CLI::Option *add_threads(CLI::App &app) {
    const std::string name = "--threads";
    return add_parsed(app, name, "N", "Threads to use (default: all processors)", [name](const std::string &text) {
        const int64_t count = parse_integers(name, text, {1}, "an integer").front();
        set_num_threads(static_cast<int>(std::clamp<int64_t>(count, INT_MIN, INT_MAX)));
    });
}

CLI::Option *add_input_size(CLI::App &app, Shape &value) {
    const std::string name = "--input-size";
    return add_parsed(app, name, "N,C,D,H,W", "Sizes of the input in this order, in every layout; without N: unbatched",
                      [name, &value](const std::string &text) {
                          value = parse_integers(name, text, {4, 5}, "N,C,D,H,W or C,D,H,W");
                      });
}

std::vector<CLI::Option *> add_geometry_arguments(CLI::App &app, LayerArguments &arguments) {
    ConvTranspose3dOptions &options = arguments.options;
    const std::string output_size = "--output-size";
    return {
        add_triple(app, "--stride", options.stride, "Stride (default: 1)"),
        add_triple(app, "--padding", options.padding, "Padding, which the output is cropped by (default: 0)"),
        add_triple(app, "--padding-end", options.padding_end, "Padding at the far end, where it is another one; below 0 it adds outputs"),
        add_triple(app, "--output-padding", options.output_padding, "Size added to one side of the output (default: 0)"),
        add_triple(app, "--dilation", options.dilation, "Distance between the kernel's elements (default: 1)"),
        add_integer(app, "--groups", options.groups, "Groups of channels (default: 1)"),
        add_parsed(app, output_size, "D,H,W", "Spatial size of the output; replaces the output padding",
                   [output_size, &arguments](const std::string &text) {
                       arguments.output_size = parse_integers(output_size, text, {3}, "three integers as D,H,W");
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

ConvTranspose3d LayerArguments::make_layer() const {
    ConvTranspose3d layer(options);
    layer.set_device(device);
    if (!variant.empty()) {
        layer.set_variant(variant);
        // The layer keeps the planner's choice for inputs of another layout than the variant's.
        for (const Variant &v : variants()) {
            if (v.name == variant && v.layout != layout) {
                throw InvalidArgument("--variant: " + variant + " is for layout " + to_string(v.layout) + ", not " +
                                      to_string(layout));
            }
        }
    }
    return layer;
}

}  // namespace unstride::tools
