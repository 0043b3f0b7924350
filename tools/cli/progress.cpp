#include "progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace unstride::tools {

Progress::Progress() : terminal_(isatty(STDERR_FILENO) == 1) {
}

Progress::~Progress() {
    clear();
}

void Progress::show(double fraction, const std::string &what) {
    if (terminal_) {
        constexpr size_t width = 30;
        const double shown = std::clamp(fraction, 0.0, 1.0);
        const std::string done(static_cast<size_t>(shown * width), '#');
        std::fprintf(stderr, "\r\x1b[K[%-*s] %3.0f %%  %s", static_cast<int>(width), done.c_str(), 100 * shown,
                     what.c_str());
        std::fflush(stderr);
        shown_ = true;
    }
}

void Progress::clear() {
    if (shown_) {
        std::fputs("\r\x1b[K", stderr);
        std::fflush(stderr);
        shown_ = false;
    }
}

}  // namespace unstride::tools
