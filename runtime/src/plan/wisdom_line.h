#ifndef UNSTRIDE_RUNTIME_PLAN_WISDOM_LINE_H
#define UNSTRIDE_RUNTIME_PLAN_WISDOM_LINE_H

#include <optional>
#include <string>
#include <string_view>

#include "plan/wisdom.h"
#include "problem/problem.h"
#include "unstride/machine.h"
#include "unstride/wisdom.h"

namespace unstride {

constexpr const char *wisdom_header = "unstride wisdom 1";

// A line of a wisdom file is its key, which says what was measured and on which machine, what won, and a checksum of
// both.
std::string wisdom_key(const Problem &problem, const Machine &machine);
std::string wisdom_line(const std::string &key, const Winner &winner);

// What an entry was measured for, of which this is the geometry.
Problem problem_of(const WisdomEntry &entry, const Geometry &geometry);

// The winner that an entry names for its problem and a machine with the entry's threads, checked. Throws
// InvalidArgument.
Winner check_winner(const WisdomEntry &entry, const Problem &problem, const Machine &machine);

struct WisdomLine {
    std::string key;
    std::optional<Winner> winner;  // none on another machine
};

// Reads a line for a machine, of which the threads do not matter. Throws InvalidArgument for anything that wisdom_line
// would not have written, that another version has written, or that this build cannot run.
WisdomLine parse_wisdom_line(std::string_view line, const Machine &machine);

}  // namespace unstride

#endif
