#ifndef UNSTRIDE_TOOLS_OUTPUT_FILE_H
#define UNSTRIDE_TOOLS_OUTPUT_FILE_H

#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <string>

namespace unstride::tools {

// A file that appears whole or not at all: it is written under a temporary name in its folder and renamed by commit(),
// so a file that was there before is replaced only on success. Every failure throws std::runtime_error.
class OutputFile {
public:
    // Creates the temporary file, so that a place that cannot be written shows before any work is done.
    explicit OutputFile(const std::string &path);
    // Removes what was not committed.
    ~OutputFile();
    OutputFile(const OutputFile &) = delete;
    OutputFile &operator=(const OutputFile &) = delete;

    void write(const void *data, size_t bytes);
    void commit();

    // Where the file will be, symbolic links followed.
    const std::filesystem::path &target() const {
        return target_;
    }

private:
    [[noreturn]] void fail(int error_number) const;

    std::string path_;  // as the user wrote it, for messages
    std::filesystem::path target_;
    std::filesystem::path temporary_;
    std::FILE *file_ = nullptr;
};

}  // namespace unstride::tools

#endif
