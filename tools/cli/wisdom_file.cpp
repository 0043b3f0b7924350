#include "wisdom_file.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <system_error>

#include "arguments.h"

namespace unstride::tools {

namespace fs = std::filesystem;

namespace {

constexpr const char *no_wisdom = "none";

bool environment_names_wisdom() {
    const char *named = std::getenv("UNSTRIDE_WISDOM");
    return named != nullptr && *named != '\0';
}

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
    } else if (!environment_names_wisdom() && fs::exists(default_wisdom_path(), ignored)) {
        load_with_warning(default_wisdom_path());
    }
}

WisdomFile::WisdomFile(const std::string &path) : path_(path.empty() ? default_wisdom_path() : path) {
    if (path_.empty() || path_ == no_wisdom) {
        throw InvalidArgument("--wisdom: a file to keep the winners in is needed");
    }
    if (path.empty() && !environment_names_wisdom()) {
        std::error_code ignored;
        fs::create_directories(fs::path(path_).parent_path(), ignored);
    }
    const OutputFile attempt(path_);
    const std::unique_ptr<FolderLock> lock = lock_folder(attempt);
    if (!lock->problem().empty()) {
        warn(path_ + ": cannot be locked: " + lock->problem() +
             "; winners of another tune at the same time may be lost");
    }
    forget_wisdom();
    if (const WisdomReport report = load(); !report.problems.empty()) {
        warn(path_ + ": " + report.summary());
    }
    forget_wisdom();
}

std::unique_ptr<FolderLock> WisdomFile::lock_folder(const OutputFile &file) const {
    try {
        return std::make_unique<FolderLock>(file.target().parent_path());
    } catch (const std::system_error &e) {
        throw std::runtime_error(path_ + ": cannot be locked: " + e.what());
    }
}

WisdomReport WisdomFile::load() const {
    if (!fs::exists(path_) || fs::file_size(path_) == 0) {
        return {};
    }
    WisdomReport report = load_wisdom(path_);
    if (!report.is_wisdom) {
        throw InvalidArgument(path_ + ": cannot be added to: " + report.problems.front());
    }
    return report;
}

void WisdomFile::keep(const WisdomEntry &winner) const {
    OutputFile file(path_);
    const std::unique_ptr<FolderLock> lock = lock_folder(file);
    load();
    add_wisdom(winner);
    const std::string text = wisdom_text();
    forget_wisdom();
    file.write(text.data(), text.size());
    file.commit();
}

}  // namespace unstride::tools
