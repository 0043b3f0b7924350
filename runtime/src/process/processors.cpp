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

// Counts the processors of the affinity mask. The mask may have more bits than a cpu_set_t, so that larger sets are
// tried until one is large enough.
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

// Returns how many processors' worth of time a control group may use, by the files in its folder, or infinity if they
// set no limit. Control groups of version 2 have a file cpu.max, where "max 100000" means no limit; those of version 1
// have a file each for quota and period.
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

// Returns the least quota of a control group and of all groups that it is in. In a container the folder `mount` may be
// that of the group itself, below which the path does not exist: its quota counts, and the others are infinite.
double quota_of_groups(const std::string &mount, std::string path) {
    double least = quota_of(mount);
    while (!path.empty() && path != "/") {
        least = std::min(least, quota_of(mount + path));
        path.erase(path.rfind('/'));
    }
    return least;
}

// Returns the least quota of all control groups of this process. Lines of the file that lists them are "0::/path" for
// version 2 and "4:cpu,cpuacct:/path" for version 1.
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
