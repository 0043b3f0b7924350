#include "plan/planning.h"

#include <cstdlib>
#include <string>

#include "unstride/error.h"

namespace unstride {

const char *to_string(Planning planning) {
    switch (planning) {
    case Planning::measure:
        return "measure";
    case Planning::remember:
        return "remember";
    case Planning::estimate:
        break;
    }
    return "estimate";
}

Planning planning_of_environment() {
    const char *environment = std::getenv("UNSTRIDE_PLANNING");
    const std::string name = environment != nullptr ? environment : "";
    for (const Planning planning : {Planning::estimate, Planning::measure, Planning::remember}) {
        if (name == to_string(planning)) {
            return planning;
        }
    }
    if (name.empty()) {
        return Planning::estimate;
    }
    throw InvalidArgument("UNSTRIDE_PLANNING: expected estimate, measure or remember, but got '" + name + "'");
}

}  // namespace unstride
