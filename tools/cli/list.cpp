#include <algorithm>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "commands.h"
#include "tools/files/text.h"
#include "unstride/machine.h"
#include "unstride/variants.h"

namespace unstride::tools {

namespace {

void print_json() {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const Variant &v : variants()) {
        const InstructionSet isa = instruction_set(v.isa);
        const std::string why_not = v.why_not_here();
        list.push_back({{"name", v.name},
                        {"operator", to_string(v.op)},
                        {"family", v.family},
                        {"sums", v.sums},
                        {"lanes", v.lanes},
                        {"layout", to_string(v.layout)},
                        {"tile", {{"channels", v.block}, {"columns", v.columns}}},
                        {"stride_x", v.stride_x},
                        {"known_kernel", v.known_kernel},
                        {"known_stride", v.known_stride},
                        {"device", to_string(v.device)},
                        {"target", v.isa},
                        {"rank", isa.rank},
                        {"vector_bytes", isa.vector_bytes},
                        {"fma", isa.fma},
                        {"dtype", to_string(v.types)},
                        {"runs_here", why_not.empty()},
                        {"why_not", why_not.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(why_not)}});
    }
    std::cout << list.dump(2) << '\n';
}

void print_table() {
    size_t width = 4;
    std::vector<std::string> here;  // all of it before the first line, as it may fail
    for (const Variant &v : variants()) {
        width = std::max(width, v.name.size());
        const std::string why_not = v.why_not_here();
        here.push_back(why_not.empty() ? "yes" : "no: " + why_not);
    }
    const int name_width = static_cast<int>(width);
    const char *row = "%-*s  %-9s  %-6s  %-7s  %-8s  %-8s  %-8s  %s\n";
    std::cout << format(row, name_width, "name", "family", "layout", "tile", "stride_x", "target", "type", "runs here");
    for (size_t i = 0; i < here.size(); i++) {
        const Variant &v = variants()[i];
        std::cout << format(row, name_width, v.name.c_str(), v.family.c_str(), to_string(v.layout),
                            format("%dx%d", v.block, v.columns).c_str(),
                            v.stride_x == 1 ? "any" : std::to_string(v.stride_x).c_str(), v.isa.c_str(),
                            to_string(v.types).c_str(), here[i].c_str());
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
