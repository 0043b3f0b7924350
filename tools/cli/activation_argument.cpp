#include "activation_argument.h"

#include <charconv>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "arguments.h"

namespace unstride::tools {

namespace {

struct Parser {
    size_t least, most;  // how many numbers may stand behind the name
    std::function<Activation(const std::vector<double> &)> make;
};

const std::map<std::string, Parser> &parsers() {
    using Numbers = const std::vector<double> &;
    constexpr size_t any = -1;
    static const std::map<std::string, Parser> result = {
        {"relu", {0, 0, [](Numbers) { return Activation::relu(); }}},
        {"leaky_relu",
         {0, 1, [](Numbers n) { return n.empty() ? Activation::leaky_relu() : Activation::leaky_relu(n[0]); }}},
        {"prelu", {1, any, [](Numbers n) { return Activation::prelu(n); }}},
        {"elu", {0, 1, [](Numbers n) { return n.empty() ? Activation::elu() : Activation::elu(n[0]); }}},
        {"silu", {0, 0, [](Numbers) { return Activation::silu(); }}},
        {"gelu", {0, 0, [](Numbers) { return Activation::gelu(); }}},
        {"gelu_tanh", {0, 0, [](Numbers) { return Activation::gelu_tanh(); }}},
        {"tanh", {0, 0, [](Numbers) { return Activation::tanh(); }}},
        {"sigmoid", {0, 0, [](Numbers) { return Activation::sigmoid(); }}},
        {"clamp", {2, 2, [](Numbers n) { return Activation::clamp(n[0], n[1]); }}},
    };
    return result;
}

// Appends the numbers of a comma-separated list; returns false if `text` is no such list.
bool read_numbers(const std::string &text, std::vector<double> &numbers) {
    for (const std::string &part : split(text)) {
        const char *end = part.data() + part.size();
        double number = 0;
        const auto [stop, error] = std::from_chars(part.data(), end, number);
        if (error != std::errc() || stop != end) {
            return false;
        }
        numbers.push_back(number);
    }
    return true;
}

}  // namespace

void add_activation(CLI::App &app, Activation &value) {
    const std::string name = "--activation";
    const auto parse = [name, &value](const std::string &text) {
        const size_t colon = text.find(':');
        const auto found = parsers().find(text.substr(0, colon));
        std::vector<double> numbers;
        if (found == parsers().end() ||
            (colon != std::string::npos && !read_numbers(text.substr(colon + 1), numbers)) ||
            numbers.size() < found->second.least || numbers.size() > found->second.most) {
            refuse(name,
                   "relu, leaky_relu[:SLOPE], prelu:SLOPE[,SLOPE...], elu[:ALPHA], silu, gelu, gelu_tanh, tanh, "
                   "sigmoid or clamp:LOW,HIGH",
                   text);
        }
        value = found->second.make(numbers);
    };
    app.add_option_function<std::string>(name, parse,
                                         "Applied to each output: relu, leaky_relu[:SLOPE], prelu:SLOPE[,SLOPE...], "
                                         "elu[:ALPHA], silu, gelu, gelu_tanh, tanh, sigmoid, clamp:LOW,HIGH")
        ->type_name("NAME[:A,B]");
}

}  // namespace unstride::tools
