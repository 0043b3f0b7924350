#ifndef UNSTRIDE_TOOLS_REMOVAL_H
#define UNSTRIDE_TOOLS_REMOVAL_H

#include <cstddef>
#include <filesystem>
#include <utility>
#include <vector>

namespace unstride::tools {

// A file that is removed when this object ends, and also when a signal ends the process: one from a terminal, from
// `kill` (but not -9), or from a pipe that nobody reads; not one for a fault in the process. The process still ends by
// that signal. Signals that it was started to ignore stay ignored.
class Removal {
public:
    // The file need not be there yet, nor any more when it is removed.
    explicit Removal(std::filesystem::path path);
    ~Removal();
    Removal(const Removal &) = delete;
    Removal &operator=(const Removal &) = delete;

    // Gives files names to stay under, while no signal can end the process. Returns how many got theirs, and if these
    // are not all, the number of the error; the others will be removed.
    struct Renaming {
        Removal *file;
        const std::filesystem::path &target;
    };
    static std::pair<size_t, int> rename_all(const std::vector<Renaming> &renamings);

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
