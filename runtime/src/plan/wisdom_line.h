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

// The first line of each wisdom file.
constexpr const char *wisdom_header = "unstride wisdom 1";

// Returns the key of a problem on a machine. A line of a wisdom file is such a key, which says what was measured and on
// which machine; then what won; and then a checksum of both.
std::string wisdom_key(const Problem &problem, const Machine &machine);

// Returns the line of a wisdom file, without its end, that says what won for a key.
std::string wisdom_line(const std::string &key, const Winner &winner);

// Returns the problem that an entry was measured for. `geometry` is what resolve() made of the entry's sizes.
Problem problem_of(const WisdomEntry &entry, const Geometry &geometry);

// Returns the winner that an entry names. `problem` is the entry's, and `machine` has as many threads as the entry.
// Throws InvalidArgument if a value of the entry is out of range, if this build does not have the kernel or the kernel
// cannot run the problem, or if it rounds unlike the kernels that would run without wisdom.
Winner check_winner(const WisdomEntry &entry, const Problem &problem, const Machine &machine);

// What a line of a wisdom file says.
struct WisdomLine {
    std::string key;
    std::optional<Winner> winner;  // none if the line is of another machine
};

// Returns what a line says to a machine, whose number of threads does not matter. Throws InvalidArgument if the line is
// not one that wisdom_line() writes, if another version has written it, or if this build cannot run what it names.
WisdomLine parse_wisdom_line(std::string_view line, const Machine &machine);

}  // namespace unstride

#endif
