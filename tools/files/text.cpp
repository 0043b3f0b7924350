#include "text.h"

#include <cstdarg>
#include <cstdio>

namespace unstride::tools {

std::string format(const char *pattern, ...) {
    va_list arguments, again;
    va_start(arguments, pattern);
    va_copy(again, arguments);
    // The analyzer of clang-tidy 14 does not know va_start and va_copy as builtins.
    const int length = std::vsnprintf(nullptr, 0, pattern, arguments);  // NOLINT(clang-analyzer-valist.Uninitialized)
    std::string text(static_cast<size_t>(length), '\0');
    std::vsnprintf(text.data(), text.size() + 1, pattern, again);  // NOLINT(clang-analyzer-valist.Uninitialized)
    va_end(again);
    va_end(arguments);
    return text;
}

std::string bytes_text(double bytes) {
    if (bytes < 1024) {
        return format("%.0f B", bytes);
    }
    const char *unit = "KiB";
    bytes /= 1024;
    for (const char *larger : {"MiB", "GiB", "TiB"}) {
        if (bytes < 1024) {
            break;
        }
        bytes /= 1024;
        unit = larger;
    }
    return format("%.1f %s", bytes, unit);
}

std::string shape_text(const std::vector<int64_t> &sizes) {
    std::string text = "(";
    for (size_t i = 0; i < sizes.size(); i++) {
        text += (i > 0 ? ", " : "") + std::to_string(sizes[i]);
    }
    return text + (sizes.size() == 1 ? ",)" : ")");
}

}  // namespace unstride::tools
