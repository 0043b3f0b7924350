#include <algorithm>
#include <cstdlib>
#include <string>

#include "process/mutex.h"
#include "process/processors.h"
#include "unstride/error.h"
#include "unstride/variants.h"

namespace unstride {
namespace {

constexpr int most_threads = 256;

Mutex mutex;
int current = 0;  // 0: not set yet; guarded by the mutex

int default_count() {
    const char *environment = std::getenv("HL_NUM_THREADS");
    const int wanted = environment != nullptr ? std::atoi(environment) : 0;
    return std::clamp(wanted > 0 ? wanted : usable_processors(), 1, most_threads);
}

}  // namespace

void set_num_threads(int count) {
    if (count < 1 || count > most_threads) {
        throw InvalidArgument("the number of threads must be from 1 to 256, but got " + std::to_string(count));
    }
    const Lock lock(mutex);
    current = count;
}

int num_threads() {
    const Lock lock(mutex);
    current = current > 0 ? current : default_count();
    return current;
}

}  // namespace unstride
