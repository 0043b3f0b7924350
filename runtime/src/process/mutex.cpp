#include "process/mutex.h"

#include <pthread.h>

#include <atomic>
#include <thread>

namespace unstride {
namespace {

std::atomic<int> holders{0};  // threads that hold a mutex or wait for one
std::atomic<bool> forking{false};
thread_local int held = 0;  // number of mutexes that this thread holds or waits for

void before_fork() {
    while (forking.exchange(true)) {  // another thread is forking
        std::this_thread::yield();
    }
    while (holders != 0) {
        std::this_thread::yield();
    }
}

void after_fork() {
    forking = false;
}

[[gnu::constructor]] void watch_forks() {
    pthread_atfork(before_fork, after_fork, after_fork);
}

}  // namespace

// Waits for a fork() that is under way in another thread. A thread that already holds a mutex must not wait: the fork
// waits for it to give that up, for which it may need the second one.
void Mutex::enter() {
    if (held++ > 0) {
        return;
    }
    for (;;) {
        holders++;
        if (!forking) {
            return;
        }
        holders--;
        while (forking) {
            std::this_thread::yield();
        }
    }
}

void Mutex::leave() {
    if (--held == 0) {
        holders--;
    }
}

}  // namespace unstride
