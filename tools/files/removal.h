#ifndef UNSTRIDE_TOOLS_REMOVAL_H
#define UNSTRIDE_TOOLS_REMOVAL_H

#include <filesystem>

namespace unstride::tools {

// A file that is removed when this object ends, or when a signal ends the process that is not for a fault in it: one
// from a terminal, from `kill` (but not -9), from a pipe that nobody reads. The process still ends by that signal;
// signals that it was started to ignore stay ignored.
class Removal {
public:
    // The file need not be there, yet or any more.
    explicit Removal(std::filesystem::path path);
    ~Removal();
    Removal(const Removal &) = delete;
    Removal &operator=(const Removal &) = delete;

    // Gives the file a name to stay under. Throws std::system_error, and the file will be removed.
    void rename_to(const std::filesystem::path &target);

    const std::filesystem::path &path() const {
        return path_;
    }

private:
    static void remove_all(int signal);
    static void handle_signals();
    void forget();

    std::filesystem::path path_;
    Removal *next_ = nullptr;
    bool listed_ = false;
};

}  // namespace unstride::tools

#endif
