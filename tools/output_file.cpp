#include "output_file.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace unstride::tools {

namespace fs = std::filesystem;

OutputFile::OutputFile(const std::string &path)
    : path_(path) {
    // Renaming onto a link would replace the link. weakly_canonical keeps a link to a file that does not exist yet.
    std::error_code error;
    target_ = fs::weakly_canonical(path, error);
    while (!error && fs::is_symlink(target_)) {
        target_ = fs::weakly_canonical(target_.parent_path() / fs::read_symlink(target_), error);
    }
    if (error) {
        fail(error.value());
    }
    if (fs::exists(target_)) {
        // A rename would also replace a device or a read-only file.
        if (!fs::is_regular_file(target_)) {
            throw std::runtime_error(path_ + ": cannot be written: not a regular file");
        }
        if (access(target_.c_str(), W_OK) != 0) {
            fail(errno);
        }
    }
    // "x" refuses a name that is taken, for example by a run that was killed.
    for (int attempt = 0; file_ == nullptr; attempt++) {
        temporary_ = target_.parent_path() /
                     (".unstride-" + std::to_string(getpid()) + "-" + std::to_string(attempt) + ".tmp");
        file_ = std::fopen(temporary_.c_str(), "wbx");
        if (file_ == nullptr && errno != EEXIST) {
            fail(errno);
        }
    }
}

OutputFile::~OutputFile() {
    if (file_ != nullptr) {
        std::fclose(file_);
    }
    if (!temporary_.empty()) {
        std::remove(temporary_.c_str());
    }
}

void OutputFile::write(const void *data, size_t bytes) {
    if (bytes > 0 && std::fwrite(data, 1, bytes, file_) != bytes) {
        fail(errno);
    }
}

void OutputFile::commit() {
    std::FILE *file = file_;
    file_ = nullptr;
    if (std::fclose(file) != 0) {
        fail(errno);
    }
    if (std::rename(temporary_.c_str(), target_.c_str()) != 0) {
        fail(errno);
    }
    temporary_.clear();
}

void OutputFile::fail(int error_number) const {
    throw std::runtime_error(path_ + ": cannot be written: " + std::strerror(error_number));
}

}  // namespace unstride::tools
