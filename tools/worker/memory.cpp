#include "memory.h"

#include <malloc.h>

#include <fstream>
#include <string>

namespace unstride::tools {

namespace {

// Returns the number of a line of /proc/self/status such as "VmHWM:     1234 kB", in bytes; 0 if there is no such line.
int64_t status_bytes(const std::string &name) {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
        if (line.rfind(name + ":", 0) == 0) {
            return std::stoll(line.substr(name.size() + 1)) * 1024;
        }
    }
    return 0;
}

}  // namespace

int64_t resident_bytes() {
    malloc_trim(0);
    return status_bytes("VmRSS");
}

int64_t peak_resident_bytes(const std::function<void()> &call) {
    malloc_trim(0);
    std::ofstream reset("/proc/self/clear_refs");
    reset << "5" << std::flush;  // VmHWM starts again from VmRSS
    if (!reset) {
        return 0;
    }
    call();
    return status_bytes("VmHWM");
}

}  // namespace unstride::tools
