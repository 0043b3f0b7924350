#ifndef UNSTRIDE_RUNTIME_WISDOM_LINE_H
#define UNSTRIDE_RUNTIME_WISDOM_LINE_H

#include <optional>
#include <string>
#include <string_view>

#include "geometry.h"
#include "unstride/wisdom.h"
#include "wisdom.h"

namespace unstride {

constexpr const char *wisdom_header = "unstride wisdom 1";

// A line of a wisdom file is its key, which says what was measured and on which machine, what won, and a checksum of both.
std::string wisdom_key(const Geometry &geometry, Layout layout, const Types &types, int threads);
std::string wisdom_line(const std::string &key, const Winner &winner);

// The winner that an entry names, checked. Throws InvalidArgument.
Winner check_winner(const WisdomEntry &entry, const Geometry &geometry);

struct WisdomLine {
    std::string key;
    std::optional<Winner> winner;  // none on another machine
};

// Throws InvalidArgument for anything that wisdom_line would not have written, that another version has written, or that this
// build cannot run.
WisdomLine parse_wisdom_line(std::string_view line);

}  // namespace unstride

#endif
