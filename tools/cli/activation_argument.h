#ifndef UNSTRIDE_TOOLS_ACTIVATION_ARGUMENT_H
#define UNSTRIDE_TOOLS_ACTIVATION_ARGUMENT_H

#include <CLI/CLI.hpp>

#include "unstride/unstride.h"

namespace unstride::tools {

// Adds --activation, as NAME or NAME:NUMBERS.
void add_activation(CLI::App &app, Activation &value);

}  // namespace unstride::tools

#endif
