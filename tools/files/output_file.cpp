#include "output_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <random>
#include <stdexcept>
#include <system_error>

#include "text.h"

namespace unstride::tools {

namespace fs = std::filesystem;

namespace {

constexpr mode_t owner_only = 0600, whom_the_umask_admits = 0666, permissions = 0777;

// Returns a name that no other process has, not even one on another machine that shares the folder with this one.
std::string temporary_name() {
    std::random_device random;
    return format(".unstride-%08x%08x.tmp", random(), random());
}

}  // namespace

OutputFile::OutputFile(const std::string &path) : path_(path) {
    find_target();
    const bool replaces = fs::exists(target_);
    if (replaces) {
        // A rename would also replace a device or a read-only file.
        if (!fs::is_regular_file(target_)) {
            throw std::runtime_error(path_ + ": cannot be written: not a regular file");
        }
        if (access(target_.c_str(), W_OK) != 0) {
            fail(errno);
        }
    }
    create(replaces ? owner_only : whom_the_umask_admits);
}

// Renaming onto a link would replace the link. weakly_canonical keeps a link to a file that does not exist yet.
void OutputFile::find_target() {
    std::error_code error;
    target_ = fs::weakly_canonical(fs::absolute(path_), error);
    while (!error && fs::is_symlink(target_)) {
        target_ = fs::weakly_canonical(target_.parent_path() / fs::read_symlink(target_), error);
    }
    if (error) {
        fail(error.value());
    }
}

void OutputFile::create(mode_t mode) {
    temporary_.emplace(target_.parent_path() / temporary_name());
    const int descriptor = open(temporary_->path().c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (descriptor == -1) {
        fail(errno);
    }
    file_ = fdopen(descriptor, "wb");
    if (file_ == nullptr) {
        const int error = errno;
        close(descriptor);
        fail(error);
    }
}

OutputFile::~OutputFile() {
    unmap();
    if (file_ != nullptr) {
        std::fclose(file_);
    }
}

void OutputFile::write(const void *data, size_t bytes) {
    if (bytes > 0 && std::fwrite(data, 1, bytes, file_) != bytes) {
        fail(errno);
    }
}

void *OutputFile::map(size_t bytes) {
    const off_t begin = ftello(file_);
    if (begin < 0 || std::fflush(file_) != 0) {
        fail(errno);
    }
    const int descriptor = fileno(file_);
    const size_t all = static_cast<size_t>(begin) + bytes;
    // Where there is no room, this fails, and not the first access to a page.
    if (const int error = posix_fallocate(descriptor, 0, static_cast<off_t>(all)); error != 0) {
        fail(error);
    }
    void *const pages = mmap(nullptr, all, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (pages == MAP_FAILED) {
        fail(errno);
    }
    pages_ = pages;
    mapped_ = all;
    return static_cast<char *>(pages) + begin;
}

void OutputFile::unmap() {
    if (pages_ != nullptr) {
        munmap(pages_, mapped_);
        pages_ = nullptr;
    }
}

void OutputFile::finish() {
    unmap();
    take_owner_and_permissions();
    std::FILE *file = file_;
    file_ = nullptr;
    if (std::fclose(file) != 0) {
        fail(errno);
    }
}

void OutputFile::commit() {
    commit_all({this});
}

void OutputFile::commit_all(const std::vector<OutputFile *> &files) {
    std::vector<Removal::Renaming> renamings;
    for (OutputFile *file : files) {
        file->finish();
        renamings.push_back({&*file->temporary_, file->target_});
    }
    const auto [renamed, error] = Removal::rename_all(renamings);
    if (error != 0) {
        files[renamed]->fail(error);
    }
}

// Gives the new file owner and permissions of the file that it will replace. A file system that has none refuses, and
// the new file stays as it was created.
void OutputFile::take_owner_and_permissions() {
    struct stat replaced {};
    if (stat(target_.c_str(), &replaced) != 0) {
        return;
    }
    const int descriptor = fileno(file_);
    mode_t mode = replaced.st_mode & permissions;
    constexpr uid_t same_owner = -1;
    if (fchown(descriptor, replaced.st_uid, replaced.st_gid) != 0 &&
        fchown(descriptor, same_owner, replaced.st_gid) != 0) {
        // The group is another one, which may not do what the file's group may, but only what everybody may.
        mode = (mode & ~static_cast<mode_t>(S_IRWXG)) | (mode & S_IRWXO) << 3;
    }
    static_cast<void>(fchmod(descriptor, mode));
}

void OutputFile::fail(int error_number) const {
    throw std::runtime_error(path_ + ": cannot be written: " + std::strerror(error_number));
}

}  // namespace unstride::tools
