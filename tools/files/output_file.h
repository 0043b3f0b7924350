#ifndef UNSTRIDE_TOOLS_OUTPUT_FILE_H
#define UNSTRIDE_TOOLS_OUTPUT_FILE_H

#include <sys/types.h>

#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "removal.h"

namespace unstride::tools {

// A file that appears whole or not at all: it is written under a temporary name in its folder and renamed by commit(),
// so a file that was there before is replaced only on success. It keeps its permissions, and its owner and group where
// this process may give files to them; until it is replaced, only this process's user may read what will replace it.
// A new file has the permissions that the umask leaves. Every failure throws std::runtime_error.
class OutputFile {
public:
    // Creates the temporary file, so that a place that cannot be written shows before any work is done.
    explicit OutputFile(const std::string &path);
    // Removes the temporary file, if it was not committed.
    ~OutputFile();
    OutputFile(const OutputFile &) = delete;
    OutputFile &operator=(const OutputFile &) = delete;

    void write(const void *data, size_t bytes);

    // Makes the file longer by this many bytes, for which there has to be room, and returns them as memory, valid until
    // commit(). Nothing more can be written.
    void *map(size_t bytes);

    void commit();

    // Commits several files. All of them are complete before the first one gets its name, and no signal
    // that ends the process comes between the names.
    static void commit_all(const std::vector<OutputFile *> &files);

    // Returns where the file will be, with symbolic links followed.
    const std::filesystem::path &target() const {
        return target_;
    }

private:
    void find_target();
    void create(mode_t mode);
    void take_owner_and_permissions();
    void unmap();
    void finish();  // all that can fail before the file gets its name
    [[noreturn]] void fail(int error_number) const;

    std::string path_;  // as the user wrote it, for messages
    std::filesystem::path target_;
    std::optional<Removal> temporary_;
    std::FILE *file_ = nullptr;
    void *pages_ = nullptr;  // of the whole file, if it is mapped
    size_t mapped_ = 0;
};

}  // namespace unstride::tools

#endif
