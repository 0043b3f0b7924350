#ifndef UNSTRIDE_TOOLS_TEXT_H
#define UNSTRIDE_TOOLS_TEXT_H

#include <cstdint>
#include <string>
#include <vector>

namespace unstride::tools {

// As std::printf, into a string.
[[gnu::format(printf, 1, 2)]] std::string format(const char *pattern, ...);

// A size with its unit: "512 B", "1.5 MiB".
std::string bytes_text(double bytes);

// As NumPy prints shapes: "(2, 3)", "(3,)" or "()".
std::string shape_text(const std::vector<int64_t> &sizes);

}  // namespace unstride::tools

#endif
