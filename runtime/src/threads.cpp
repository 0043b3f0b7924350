#include <HalideRuntime.h>

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <string>
#include <thread>

#include "unstride/error.h"
#include "unstride/variants.h"

namespace unstride {
namespace {

constexpr int most_threads = 256;  // Halide's thread pool has no more

std::mutex mutex;
int current = 0;  // 0: not set yet; guarded by the mutex

int default_count() {
    const char *environment = std::getenv("HL_NUM_THREADS");
    const int wanted = environment != nullptr ? std::atoi(environment) : 0;
    return std::clamp(wanted > 0 ? wanted : static_cast<int>(std::thread::hardware_concurrency()), 1, most_threads);
}

void set_locked(int value) {
    current = value;
    halide_set_num_threads(value);
}

}  // namespace

void set_num_threads(int count) {
    if (count < 1 || count > most_threads) {
        throw InvalidArgument("the number of threads must be from 1 to 256, but got " + std::to_string(count));
    }
    const std::lock_guard<std::mutex> lock(mutex);
    set_locked(count);
}

int num_threads() {
    const std::lock_guard<std::mutex> lock(mutex);
    if (current == 0) {
        set_locked(default_count());
    }
    return current;
}

}  // namespace unstride
