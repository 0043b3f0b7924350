#include "folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace unstride::tools {

namespace {

// Returns whether the file that was opened still has its name. A process that had the lock before has removed the file,
// maybe after this process opened it.
bool is_still_at(const std::filesystem::path &path, int descriptor) {
    struct stat opened {};
    struct stat named {};
    return fstat(descriptor, &opened) == 0 && stat(path.c_str(), &named) == 0 && opened.st_dev == named.st_dev &&
           opened.st_ino == named.st_ino;
}

// Waits for the lock of a file. Returns zero, or the number of the error.
int lock(int descriptor) {
    while (flock(descriptor, LOCK_EX) != 0) {
        if (errno != EINTR) {
            return errno;
        }
    }
    return 0;
}

}  // namespace

FolderLock::FolderLock(const std::filesystem::path &folder) {
    const std::filesystem::path path = folder / ".unstride.lock";
    while (!file_) {
        descriptor_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
        if (descriptor_ == -1) {
            throw std::system_error(errno, std::generic_category(), path.string());
        }
        if (const int error = lock(descriptor_); error != 0) {
            problem_ = std::strerror(error);
        }
        if (!problem_.empty() || is_still_at(path, descriptor_)) {
            file_.emplace(path);
        } else {
            close(descriptor_);
        }
    }
}

FolderLock::~FolderLock() {
    file_.reset();  // while nobody else can have the lock
    close(descriptor_);
}

}  // namespace unstride::tools
