#include <algorithm>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "commands.h"
#include "text.h"
#include "unstride/variants.h"

namespace unstride::tools {

namespace {

void print_json() {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const Variant &v : variants()) {
        list.push_back({{"name", v.name},
                        {"family", v.family},
                        {"layout", to_string(v.layout)},
                        {"tile", {{"channels", v.block}, {"columns", v.columns}}},
                        {"stride_x", v.stride_x},
                        {"device", to_string(v.device)},
                        {"target", v.isa},
                        {"dtype", to_string(v.types)},
                        {"runs_here", v.runs_here()}});
    }
    std::cout << list.dump(2) << '\n';
}

void print_table() {
    size_t width = 4;
    for (const Variant &v : variants()) {
        width = std::max(width, v.name.size());
    }
    const int name_width = static_cast<int>(width);
    const char *row = "%-*s  %-9s  %-6s  %-7s  %-8s  %-8s  %-8s  %s\n";
    std::cout << format(row, name_width, "name", "family", "layout", "tile", "stride_x", "target", "type", "runs here");
    for (const Variant &v : variants()) {
        std::cout << format(row, name_width, v.name.c_str(), v.family.c_str(), to_string(v.layout),
                            format("%dx%d", v.block, v.columns).c_str(),
                            v.stride_x == 1 ? "any" : std::to_string(v.stride_x).c_str(), v.isa.c_str(),
                            to_string(v.types).c_str(), v.runs_here() ? "yes" : "no");
    }
}

}  // namespace

void add_list(CLI::App &app) {
    CLI::App *command = app.add_subcommand("list", "List the variants of this build");
    const auto json = std::make_shared<bool>(false);
    command->add_flag("--json", *json, "Print JSON");
    command->callback([json] { *json ? print_json() : print_table(); });
}

}  // namespace unstride::tools
