// A process that may run on one processor has one thread, unless HL_NUM_THREADS wants others.
//
//     affinity THREADS      the number of threads that is expected

#include <sched.h>

#include <cstdlib>

#include "app.h"

namespace {

using namespace unstride;

// Leaves the process the first of the processors that it may run on.
bool set_affinity() {
    cpu_set_t all, one;
    CPU_ZERO(&one);
    if (sched_getaffinity(0, sizeof all, &all) != 0) {
        return false;
    }
    int processor = 0;
    while (!CPU_ISSET(processor, &all)) {
        processor++;
    }
    CPU_SET(processor, &one);
    return sched_setaffinity(0, sizeof one, &one) == 0;
}

}  // namespace

int main(int argc, char **argv) {
    return apps::run([&] {
        const int expected = argc == 2 ? std::atoi(argv[1]) : 1;
        if (!set_affinity()) {
            return apps::failure("the process cannot choose its processor");
        }
        return apps::status(num_threads() == expected, "another number of threads") +
               apps::status(apps::shared_by_rows().is_right(), "a forward has another result the second time");
    });
}
