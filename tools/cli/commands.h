#ifndef UNSTRIDE_TOOLS_COMMANDS_H
#define UNSTRIDE_TOOLS_COMMANDS_H

#include <CLI/CLI.hpp>

namespace unstride::tools {

// Each adds one command to the command line. The command runs when its arguments are parsed, and throws on any failure.
void add_run(CLI::App &app);
void add_backward(CLI::App &app);
void add_init(CLI::App &app);
void add_plan(CLI::App &app);
void add_list(CLI::App &app);
void add_bench(CLI::App &app);
void add_tune(CLI::App &app);

}  // namespace unstride::tools

#endif
