#ifndef UNSTRIDE_TOOLS_FOLDER_LOCK_H
#define UNSTRIDE_TOOLS_FOLDER_LOCK_H

#include <filesystem>
#include <optional>
#include <string>

#include "tools/files/removal.h"

namespace unstride::tools {

// A lock that one process at a time has, of those that change files of one folder. It is a file in the folder,
// .unstride.lock, that is there as long as a process has the lock. However a process ends, it has the lock no more, and
// a file that it left behind keeps nobody out.
class FolderLock {
public:
    // Waits until it has the lock. Throws std::system_error if the file cannot be made.
    explicit FolderLock(const std::filesystem::path &folder);
    ~FolderLock();
    FolderLock(const FolderLock &) = delete;
    FolderLock &operator=(const FolderLock &) = delete;

    // Returns why there is no lock, on a file system that has none; the text is empty where there is one.
    const std::string &problem() const {
        return problem_;
    }

private:
    int descriptor_ = -1;
    std::string problem_;
    std::optional<Removal> file_;
};

}  // namespace unstride::tools

#endif
