#ifndef UNSTRIDE_TOOLS_WORKER_PLANS_H
#define UNSTRIDE_TOOLS_WORKER_PLANS_H

#include <nlohmann/json.hpp>

#include "bench/layers.h"

namespace unstride::tools {

// Returns the machine that the process runs on, as plans() takes it.
nlohmann::ordered_json processor();

// Returns what would run for a layer, and what the planner expects: for each machine of the request, or else for this
// one. bench/README.md describes requests and answers. Throws InvalidArgument for a machine that cannot be, and for a
// variant that cannot run the layer.
nlohmann::ordered_json plans(const bench::Layer &layer, Layout layout, const Types &types,
                             const nlohmann::ordered_json &request);

}  // namespace unstride::tools

#endif
