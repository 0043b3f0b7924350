#include "wisdom_file.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "arguments.h"
#include "output_file.h"

namespace unstride::tools {

namespace fs = std::filesystem;

namespace {

constexpr const char *no_wisdom = "none";

void warn(std::string message) {
    std::replace_if(
        message.begin(), message.end(), [](unsigned char c) { return c < ' '; }, ' ');
    std::cerr << "unstride: warning: " << message << std::endl;
}

void load_with_warning(const std::string &path) {
    const std::string summary = load_wisdom(path).summary();
    if (!summary.empty()) {
        warn(path + ": " + summary);
    }
}

}  // namespace

CLI::Option *add_wisdom_argument(CLI::App &app, std::string &path) {
    return add_text(app, "--wisdom", path, "FILE|none",
                    "Winners of `unstride tune` to use (default: $UNSTRIDE_WISDOM, or else ~/.config/unstride/wisdom)");
}

void use_wisdom(const std::string &path) {
    std::error_code ignored;
    if (path == no_wisdom) {
        forget_wisdom();
    } else if (!path.empty()) {
        forget_wisdom();
        const WisdomReport report = load_wisdom(path);
        if (!report.found) {
            throw InvalidArgument(path + ": " + report.summary());
        }
        if (!report.summary().empty()) {
            warn(path + ": " + report.summary());
        }
    } else if (std::getenv("UNSTRIDE_WISDOM") == nullptr && fs::exists(default_wisdom_path(), ignored)) {
        load_with_warning(default_wisdom_path());
    }
}

WisdomFile::WisdomFile(const std::string &path)
    : path_(path.empty() ? default_wisdom_path() : path) {
    if (path_.empty() || path_ == no_wisdom) {
        throw InvalidArgument("--wisdom: a file to keep the winners in is needed");
    }
    std::error_code ignored;
    const char *named = std::getenv("UNSTRIDE_WISDOM");
    if (path.empty() && (named == nullptr || *named == '\0')) {
        fs::create_directories(fs::path(path_).parent_path(), ignored);
    }
    const OutputFile attempt(path_);
    forget_wisdom();
    if (fs::exists(path_, ignored) && fs::file_size(path_, ignored) > 0) {
        const WisdomReport report = load_wisdom(path_);
        if (!report.is_wisdom) {
            throw InvalidArgument(path_ + ": cannot be added to: " + report.problems.front());
        }
        if (!report.problems.empty()) {
            warn(path_ + ": " + report.summary());
        }
        forget_wisdom();
    }
}

void WisdomFile::keep(const WisdomEntry &winner) const {
    load_wisdom(path_);
    add_wisdom(winner);
    const std::string text = wisdom_text();
    forget_wisdom();
    OutputFile file(path_);
    file.write(text.data(), text.size());
    file.commit();
}

}  // namespace unstride::tools
