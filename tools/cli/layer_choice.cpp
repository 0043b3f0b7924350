#include "layer_choice.h"

#include <fstream>

#include "arguments.h"

namespace unstride::tools {

namespace {

std::vector<bench::Layer> read_table(const std::string &path) {
    if (path.empty()) {
        return bench::parse_layers(bench::default_layer_table());
    }
    std::ifstream file(path);
    std::string text;
    std::getline(file, text, '\0');  // all of it; an empty file fails, but is not bad
    if (!file.is_open() || file.bad()) {
        throw InvalidArgument(path + ": cannot be read");
    }
    return bench::parse_layers(text);
}

}  // namespace

std::vector<bench::Layer> LayerChoice::read() const {
    std::vector<bench::Layer> table = read_table(file);
    if (names == std::vector<std::string>{"all"}) {
        return table;
    }
    std::vector<bench::Layer> chosen;
    for (const std::string &name : names) {
        chosen.push_back(find_named(table, name, "--layers"));
    }
    return chosen;
}

CLI::Option *add_layer_choice(CLI::App &app, LayerChoice &choice, const std::string &help) {
    CLI::Option *names = add_names(app, "--layers", choice.names, help);
    add_text(app, "--layers-file", choice.file, "CSV", "Another table in the format of bench/layers.csv");
    add_layout(
        app, [&layouts = choice.layouts](Layout layout) { layouts = {layout}; }, "One layout only (default: both)");
    return names;
}

}  // namespace unstride::tools
