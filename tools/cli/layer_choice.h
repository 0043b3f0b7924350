#ifndef UNSTRIDE_TOOLS_LAYER_CHOICE_H
#define UNSTRIDE_TOOLS_LAYER_CHOICE_H

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "bench/layers.h"

namespace unstride::tools {

// Layers of the table by their names, and layouts to run them in.
struct LayerChoice {
    std::vector<std::string> names = {"all"};
    std::string file;  // if it is empty, the table is that of the build
    std::vector<Layout> layouts = {Layout::ncdhw, Layout::ndhwc};

    // Reads the table, and returns the layers in the order of the names. Throws InvalidArgument for a name that is not
    // in the table, or a table that cannot be read.
    std::vector<bench::Layer> read() const;
};

// Adds --layers with this help, --layers-file and --layout. Returns the first.
CLI::Option *add_layer_choice(CLI::App &app, LayerChoice &choice, const std::string &help);

// Returns the element of that name. Throws InvalidArgument, which names the option, if there is none.
template<typename T>
const T &find_named(const std::vector<T> &list, const std::string &name, const std::string &option) {
    for (const T &element : list) {
        if (element.name == name) {
            return element;
        }
    }
    throw InvalidArgument(option + ": there is no '" + name + "'");
}

}  // namespace unstride::tools

#endif
