#include "process/processors.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>

#if defined(__linux__)
#include <sched.h>

#include <memory>
#endif

namespace unstride {
namespace {

#if defined(__linux__)

// The mask may be for more processors than a cpu_set_t has.
int processors_of_mask() {
    for (int most = CPU_SETSIZE; most <= 1 << 20; most *= 2) {
        const size_t bytes = CPU_ALLOC_SIZE(static_cast<size_t>(most));
        const auto release = [](cpu_set_t *set) { CPU_FREE(set); };
        const std::unique_ptr<cpu_set_t, decltype(release)> set(CPU_ALLOC(static_cast<size_t>(most)), release);
        if (set && sched_getaffinity(0, bytes, set.get()) == 0) {
            return CPU_COUNT_S(bytes, set.get());
        }
    }
    return static_cast<int>(std::thread::hardware_concurrency());
}

double number_in(const std::string &file) {
    double number = 0;
    std::ifstream(file) >> number;
    return number;
}

// Processors' worth of time that a control group's folder allows, in version 2 ("max 100000" is no limit) or version 1;
// infinity where it does not say.
double quota_of(const std::string &folder) {
    std::string quota = "max";
    double period = 0;
    std::ifstream(folder + "/cpu.max") >> quota >> period;
    if (quota != "max" && period > 0) {
        return std::atof(quota.c_str()) / period;
    }
    const double quota_us = number_in(folder + "/cpu.cfs_quota_us"),
                 period_us = number_in(folder + "/cpu.cfs_period_us");
    return quota_us > 0 && period_us > 0 ? quota_us / period_us : INFINITY;
}

// The least of a group and all around it. In a container the folder may be the group's own, so that the path is not
// found below it.
double quota_of_groups(const std::string &mount, std::string path) {
    double least = quota_of(mount);
    while (!path.empty() && path != "/") {
        least = std::min(least, quota_of(mount + path));
        path.erase(path.rfind('/'));
    }
    return least;
}

// Lines of the file are "0::/path" in version 2, and "4:cpu,cpuacct:/path" in version 1.
double quota_of_process() {
    double least = INFINITY;
    std::ifstream groups("/proc/self/cgroup");
    for (std::string line; std::getline(groups, line);) {
        const size_t first = line.find(':'), second = line.find(':', first + 1);
        if (second == std::string::npos) {
            continue;
        }
        const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",",
                          path = line.substr(second + 1);
        if (controllers == ",,") {
            least = std::min(least, quota_of_groups("/sys/fs/cgroup", path));
        } else if (controllers.find(",cpu,") != std::string::npos) {
            least = std::min(least, quota_of_groups("/sys/fs/cgroup/cpu", path));
        }
    }
    return least;
}

#else

int processors_of_mask() {
    return static_cast<int>(std::thread::hardware_concurrency());
}

double quota_of_process() {
    return INFINITY;
}

#endif

}  // namespace

int usable_processors() {
    const double most = std::ceil(quota_of_process());
    return std::max(static_cast<int>(std::min<double>(processors_of_mask(), most)), 1);
}

}  // namespace unstride
