#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <string>

#include "process/app_threads.h"
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

void check_count(int count) {
    if (count < 1 || count > most_threads) {
        throw InvalidArgument("the number of threads must be from 1 to 256, but got " + std::to_string(count));
    }
}

thread_local const AppThreads *app_threads = nullptr;

}  // namespace

AppThreads::AppThreads(Run run, int threads) : run_(run), threads_(threads), outside_(app_threads) {
    if (threads != 0) {
        check_count(threads);
    }
    app_threads = this;
}

AppThreads::~AppThreads() {
    app_threads = outside_;
}

const AppThreads *AppThreads::of_this_thread() {
    return app_threads;
}

void set_num_threads(int count) {
    check_count(count);
    current = count;
}

int num_threads() {
    if (app_threads != nullptr && app_threads->threads() != 0) {
        return app_threads->threads();
    }
    int count = current;
    if (count == 0) {
        const int found = default_count();
        // If another thread has set a number meanwhile, that one holds.
        count = current.compare_exchange_strong(count, found) ? found : count;
    }
    return count;
}

}  // namespace unstride
