#include "plan/wisdom_line.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>
#include <limits>

#include "checks/checks.h"
#include "device/machine.h"
#include "plan/fold.h"
#include "plan/planner.h"
#include "problem/checked.h"

namespace unstride {
namespace {

constexpr std::string_view before_winner = " variant=", before_checksum = " crc32=", before_operator = "op=";

std::string build_prefix() {
    return "unstride=" UNSTRIDE_VERSION " ";
}

std::string machine_prefix(const Machine &machine) {
    return build_prefix() + "cpu=\"" + machine.cpu + "\" isa=" + machine.isa + " ";
}

// Returns the CRC-32 of a text, as zip and PNG use it, in 8 hexadecimal digits.
std::string checksum(std::string_view text) {
    uint32_t crc = 0xffffffff;
    for (char c : text) {
        crc ^= static_cast<unsigned char>(c);
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
        }
    }
    crc = ~crc;
    std::string digits;
    for (int shift = 28; shift >= 0; shift -= 4) {
        digits += "0123456789abcdef"[crc >> shift & 15];
    }
    return digits;
}

template<typename Value>
std::string triple(const Geometry &geometry, Value value) {
    return std::to_string(value(geometry.extent[0])) + "," + std::to_string(value(geometry.extent[1])) + "," +
           std::to_string(value(geometry.extent[2]));
}

// Reads a line piece by piece, from its beginning to its end. Functions throw InvalidArgument where the line goes on in
// another way than they expect.
class Reader {
public:
    explicit Reader(std::string_view text) : rest_(text) {
    }

    [[noreturn]] static void refuse() {
        throw InvalidArgument("it is not as this version writes it");
    }

    // Reads over a text if it comes next.
    bool skips(std::string_view text) {
        const bool comes = rest_.substr(0, text.size()) == text;
        rest_.remove_prefix(comes ? text.size() : 0);
        return comes;
    }

    // Reads over a text that has to come next.
    void skip(std::string_view text) {
        if (!skips(text)) {
            refuse();
        }
    }

    // Returns the operator of a line: that of the forward has none.
    Operator op() {
        if (!skips(before_operator)) {
            return Operator::forward;
        }
        const std::string_view name = word();
        const auto *found = std::find_if(std::begin(operators), std::end(operators),
                                         [&](const OperatorFacts &facts) { return facts.name == name; });
        if (found == std::end(operators)) {
            refuse();
        }
        skip(" ");
        return found->op;
    }

    // Returns what comes before the next space.
    std::string_view word() {
        const std::string_view result = rest_.substr(0, rest_.find(' '));
        rest_.remove_prefix(result.size());
        return result;
    }

    // Returns the number that follows the text `name`.
    int64_t number(std::string_view name) {
        skip(name);
        int64_t value = 0;
        const auto [stop, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
        if (error != std::errc()) {
            refuse();
        }
        rest_.remove_prefix(static_cast<size_t>(stop - rest_.data()));
        return value;
    }

    // Returns the three numbers, separated by commas, that follow the text `name`.
    Triple numbers(std::string_view name) {
        const int64_t depth = number(name), height = number(","), width = number(",");
        return {depth, height, width};
    }

    Types types() {
        try {
            return parse_types(std::string(word()));
        } catch (const InvalidArgument &) {
            refuse();  // in place of the error's own text, which would repeat what a damaged file holds
        }
    }

private:
    std::string_view rest_;
};

// Returns what a line says that this version wrote on this machine. `text` is what follows the version and the machine
// in the line. Throws InvalidArgument if it is malformed; whether its values make sense is for check_winner() to find
// out.
WisdomEntry parse_entry(std::string_view text) {
    WisdomEntry entry;
    ConvTranspose3dOptions &o = entry.options;
    Reader reader(text);
    entry.op = reader.op();
    const int64_t threads = reader.number("threads=");
    entry.threads = threads > 0 && threads <= std::numeric_limits<int>::max() ? static_cast<int>(threads) : 0;
    reader.skip(" dtype=");
    entry.types = reader.types();
    reader.skip(" layout=");
    entry.layout = reader.word() == to_string(Layout::ndhwc) ? Layout::ndhwc : Layout::ncdhw;
    const int64_t batch = reader.number(" batch=");
    o.in_channels = reader.number(" channels=");
    o.out_channels = reader.number(",");
    o.groups = reader.number(" groups=");
    const Triple input = reader.numbers(" input=");
    o.kernel_size = reader.numbers(" kernel=");
    o.stride = reader.numbers(" stride=");
    o.padding = reader.numbers(" padding=");
    const Triple output_padding = reader.numbers(" output_padding=");
    const auto end = [&](int d) { return add(o.padding[d], multiply(-1, output_padding[d])); };
    o.padding_end = Triple(end(0), end(1), end(2));
    o.dilation = reader.numbers(" dilation=");
    entry.input_shape = {batch, o.in_channels, input.depth, input.height, input.width};
    reader.skip(before_winner);
    entry.variant = reader.word();
    entry.rows_per_task = reader.number(" rows=");
    entry.seconds = static_cast<double>(reader.number(" nanoseconds=")) * 1e-9;
    entry.candidates = reader.number(" candidates=");
    return entry;
}

// Returns the sizes of the layer that a key has: for kernels of the forward, the one whose forward they compute. Where
// only the output matters, as for a bias gradient, the layer has a single input channel.
Geometry layer_of(const Problem &problem) {
    Geometry layer = problem.by_forward ? problem.geometry : problem.layer();
    layer.channels.inputs = std::max<int64_t>(layer.channels.inputs, 1);
    return layer;
}

}  // namespace

std::string wisdom_key(const Problem &problem, const Machine &machine) {
    const Geometry geometry = layer_of(problem);
    const Channels &c = geometry.channels;
    // The key gives an output's size as the output padding of a layer with the same padding at both ends. This is
    // negative where padding_end makes the output smaller than such a layer's.
    const auto output_padding = [](const Extent &e) {
        return e.output - (reached_outputs(e.input, e.kernel, e.axis.stride, e.axis.dilation) - 2 * e.axis.padding);
    };
    // A key without an operator is of the forward, as all keys of earlier versions are.
    const Operator of_kernels = problem.op_of_kernels();
    const std::string op =
        of_kernels == Operator::forward ? "" : std::string(before_operator) + to_string(of_kernels) + " ";
    return machine_prefix(machine) + op + "threads=" + std::to_string(problem.threads) +
           " dtype=" + to_string(problem.types_of_kernels()) + " layout=" + to_string(problem.layout) +
           " batch=" + std::to_string(geometry.batch) + " channels=" + std::to_string(c.groups * c.inputs) + "," +
           std::to_string(c.groups * c.outputs) + " groups=" + std::to_string(c.groups) +
           " input=" + triple(geometry, [](const Extent &e) { return e.input; }) +
           " kernel=" + triple(geometry, [](const Extent &e) { return e.kernel; }) +
           " stride=" + triple(geometry, [](const Extent &e) { return e.axis.stride; }) +
           " padding=" + triple(geometry, [](const Extent &e) { return e.axis.padding; }) +
           " output_padding=" + triple(geometry, output_padding) +
           " dilation=" + triple(geometry, [](const Extent &e) { return e.axis.dilation; });
}

std::string wisdom_line(const std::string &key, const Winner &winner) {
    const std::string text = key + std::string(before_winner) + winner.entry->variant.name +
                             " rows=" + std::to_string(winner.rows_per_task) +
                             " nanoseconds=" + std::to_string(winner.nanoseconds) +
                             " candidates=" + std::to_string(winner.candidates);
    return text + std::string(before_checksum) + checksum(text);
}

Problem problem_of(const WisdomEntry &entry, const Geometry &geometry) {
    return problem_of(entry.op, op_of_kernels(entry.op, geometry), geometry, entry.layout, entry.types, entry.threads);
}

Winner check_winner(const WisdomEntry &e, const Problem &problem, const Machine &machine) {
    const auto require = [](bool condition, const std::string &message) {
        if (!condition) {
            throw InvalidArgument(message);
        }
    };
    require(e.threads >= 1, "the number of threads must be from 1 to 2147483647");
    require(e.seconds > 0 && e.seconds < 1e6,
            "the time must be above 0 and below 10^6 seconds, but got " + std::to_string(e.seconds));
    require(e.candidates >= 1, "the number of candidates must be at least 1, but got " + std::to_string(e.candidates));
    const Entry *entry = find_entry(e.variant);
    require(entry != nullptr, "this build has no variant " + e.variant);
    const Variant &v = entry->variant;
    const Operator of_kernels = problem.op_of_kernels();
    require(v.op == of_kernels, "variant " + v.name + " computes the " + to_string(v.op) + ", not the " +
                                    to_string(of_kernels) +
                                    (problem.by_forward ? ", which input gradients are where all strides are 1" : ""));
    require(v.layout == e.layout, "variant " + v.name + " is for layout " + to_string(v.layout));
    require(v.types == problem.types_of_kernels(), "variant " + v.name + " is for type " + to_string(v.types));
    require(v.device == Device::cpu,
            "variant " + v.name + " is for device " + to_string(v.device) + ", and wisdom for the CPU");
    const ConvTranspose3dOptions options = options_of_kernels(e.options, problem.by_forward);
    const std::string why_not = obstacle(*entry, options, machine);
    require(why_not.empty(), "variant " + v.name + " " + why_not);
    if (sums_over_positions(e.op)) {
        require(e.rows_per_task == 0, std::string("a task of a ") + to_string(e.op) + " has no rows, but got " +
                                          std::to_string(e.rows_per_task));
    } else {
        const int64_t height = folded(problem.geometry, v).extent[1].output;
        require(e.rows_per_task >= 1 && e.rows_per_task <= height,
                "the rows of a task must be from 1 to " + std::to_string(height) + ", the output's height, but got " +
                    std::to_string(e.rows_per_task));
    }
    // Wisdom does not know whether a layer's weights are exact in bf16, on which the usual kernels depend. A winner is
    // right if it rounds like the usual kernels of either case.
    bool is_usual = false;
    for (const bool in_bf16 : {false, true}) {
        Problem known = problem;
        known.conditions.in_bf16 = in_bf16;
        const std::vector<const Entry *> usual = candidates(options, known, machine);
        is_usual = is_usual || (!usual.empty() && v.rounds_like(usual.front()->variant));
    }
    require(is_usual, "variant " + v.name + " rounds unlike those that the layer runs with");
    return {entry, e.rows_per_task, std::max<int64_t>(std::llround(e.seconds * 1e9), 1), e.candidates};
}

WisdomLine parse_wisdom_line(std::string_view line, const Machine &machine) {
    const size_t end = line.rfind(before_checksum);
    if (end == std::string_view::npos || line.substr(end + before_checksum.size()) != checksum(line.substr(0, end))) {
        throw InvalidArgument("it is damaged: its checksum is wrong");
    }
    if (line.rfind(build_prefix(), 0) != 0) {
        throw InvalidArgument("it was measured with another version of unstride");
    }
    const std::string prefix = machine_prefix(machine);
    if (line.rfind(prefix, 0) != 0) {
        return {std::string(line.substr(0, line.find(before_winner))), std::nullopt};
    }
    const WisdomEntry entry = parse_entry(line.substr(prefix.size()));
    check_options(entry.options);
    const Geometry geometry = resolve(entry.options, entry.input_shape, {});
    Machine measured_on = machine;
    measured_on.threads = entry.threads;
    const Problem problem = problem_of(entry, geometry);
    WisdomLine result{wisdom_key(problem, measured_on), check_winner(entry, problem, measured_on)};
    if (wisdom_line(result.key, *result.winner) != line) {
        Reader::refuse();
    }
    return result;
}

}  // namespace unstride
