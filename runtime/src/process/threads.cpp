#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <string>

#include "process/processors.h"
#include "unstride/error.h"
#include "unstride/variants.h"

namespace unstride {
namespace {

constexpr int most_threads = 256;

std::atomic<int> current{0};  // 0 until the number is first set or asked for

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
    current = count;
}

int num_threads() {
    int count = current;
    if (count == 0) {
        const int found = default_count();
        // If another thread has set a number meanwhile, that one holds.
        count = current.compare_exchange_strong(count, found) ? found : count;
    }
    return count;
}

}  // namespace unstride
