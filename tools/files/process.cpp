#include "process.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <system_error>

namespace unstride::tools {

void prepare_process() {
    for (int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        // All lower descriptors are open by now, so open() returns this one. With O_PATH it can be neither read nor
        // written.
        if (fcntl(descriptor, F_GETFD) == -1 && errno == EBADF && open("/", O_PATH) == -1) {
            throw std::system_error(errno, std::generic_category(), "a standard descriptor cannot be filled");
        }
    }
    std::signal(SIGXFSZ, SIG_IGN);
}

}  // namespace unstride::tools
