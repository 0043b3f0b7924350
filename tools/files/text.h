#ifndef UNSTRIDE_TOOLS_TEXT_H
#define UNSTRIDE_TOOLS_TEXT_H

#include <cstdint>
#include <string>
#include <vector>

namespace unstride::tools {

// Formats as std::printf does, into a string.
[[gnu::format(printf, 1, 2)]] std::string format(const char *pattern, ...);

// Returns a size with its unit, such as "512 B" or "1.5 MiB".
std::string bytes_text(double bytes);

// Returns a shape as NumPy prints it: "(2, 3)", "(3,)" or "()".
std::string shape_text(const std::vector<int64_t> &sizes);

}  // namespace unstride::tools

#endif
