#ifndef UNSTRIDE_TOOLS_WISDOM_FILE_H
#define UNSTRIDE_TOOLS_WISDOM_FILE_H

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "folder_lock.h"
#include "tools/files/output_file.h"
#include "unstride/wisdom.h"

namespace unstride::tools {

// Adds --wisdom for the commands that use wisdom.
CLI::Option *add_wisdom_argument(CLI::App &app, std::string &path);

// Loads the wisdom that --wisdom asks for: that of a file; none for "none"; and if `path` is empty, that of the file
// that UNSTRIDE_WISDOM names, or else the user's own, if there is one. Warns on standard error of lines that are wrong.
// Throws InvalidArgument for a file that was named and cannot be read.
void use_wisdom(const std::string &path);

// The file that tune keeps winners in. Throws InvalidArgument or std::runtime_error unless it can be written and is
// wisdom, or empty, or not there yet; warns of what is in it but cannot be kept. Leaves the process without wisdom.
// Several processes may keep winners in one file at the same time.
class WisdomFile {
public:
    // If `path` is empty, the file is that of default_wisdom_path, whose folder is made if need be.
    explicit WisdomFile(const std::string &path);

    // Adds one winner to those that are in the file now, which is replaced as a whole. Throws as the constructor does.
    void keep(const WisdomEntry &winner) const;

    const std::string &path() const {
        return path_;
    }

private:
    // Takes the lock, which is held from reading the file to replacing it.
    std::unique_ptr<FolderLock> lock_folder(const OutputFile &file) const;
    WisdomReport load() const;

    std::string path_;
};

}  // namespace unstride::tools

#endif
