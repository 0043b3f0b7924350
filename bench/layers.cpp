#include "layers.h"

#include <charconv>
#include <sstream>

#include "unstride/error.h"

namespace unstride::bench {

namespace {

constexpr const char *header = "name,batch,in_channels,out_channels,input_size,kernel_size,stride,padding,"
                               "output_padding,dilation,groups,source";
constexpr size_t column_count = 12;

std::vector<std::string> split_line(const std::string &line) {
    std::vector<std::string> fields(1);
    bool quoted = false;
    for (char c : line) {
        if (c == '"') {
            quoted = !quoted;
        } else if (c == ',' && !quoted) {
            fields.emplace_back();
        } else {
            fields.back() += c;
        }
    }
    return fields;
}

// Reads the numbers of a field such as "3x5x2", of which there have to be `count`.
Shape parse_sizes(const std::string &field, size_t count) {
    Shape sizes;
    const char *next = field.data(), *end = next + field.size();
    while (true) {
        int64_t size = 0;
        const auto [stop, error] = std::from_chars(next, end, size);
        if (error != std::errc()) {
            break;
        }
        sizes.push_back(size);
        next = stop;
        if (next == end || *next != 'x') {
            break;
        }
        next++;
    }
    if (next != end || sizes.size() != count) {
        throw InvalidArgument("'" + field + "' is not " + (count == 1 ? "an integer" : "of the form DxHxW"));
    }
    return sizes;
}

Triple parse_triple(const std::string &field) {
    const Shape sizes = parse_sizes(field, 3);
    return {sizes[0], sizes[1], sizes[2]};
}

Layer parse_layer(const std::string &line) {
    const std::vector<std::string> fields = split_line(line);
    if (fields.size() != column_count) {
        throw InvalidArgument("expected " + std::to_string(column_count) + " fields, but there are " +
                              std::to_string(fields.size()));
    }
    const auto number = [&](size_t column) { return parse_sizes(fields[column], 1).front(); };
    Layer layer;
    layer.name = fields[0];
    layer.options.in_channels = number(2);
    layer.options.out_channels = number(3);
    const Triple input = parse_triple(fields[4]);
    layer.input_size = {number(1), number(2), input.depth, input.height, input.width};
    layer.options.kernel_size = parse_triple(fields[5]);
    layer.options.stride = parse_triple(fields[6]);
    layer.options.padding = parse_triple(fields[7]);
    layer.options.output_padding = parse_triple(fields[8]);
    layer.options.dilation = parse_triple(fields[9]);
    layer.options.groups = number(10);
    layer.source = fields[11];
    return layer;
}

}  // namespace

std::vector<Layer> parse_layers(const std::string &csv) {
    std::istringstream lines(csv);
    std::string line;
    if (!std::getline(lines, line) || line != header) {
        throw InvalidArgument("the layer table does not begin with the line " + std::string(header));
    }
    std::vector<Layer> layers;
    for (int number = 2; std::getline(lines, line); number++) {
        if (line.empty()) {
            continue;
        }
        try {
            layers.push_back(parse_layer(line));
        } catch (const InvalidArgument &e) {
            throw InvalidArgument("line " + std::to_string(number) + " of the layer table: " + e.what());
        }
    }
    return layers;
}

}  // namespace unstride::bench
