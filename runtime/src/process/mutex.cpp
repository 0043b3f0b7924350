#include "process/mutex.h"

#include <pthread.h>

#include <atomic>
#include <thread>

namespace unstride {
namespace {

std::atomic<int> holders{0};  // threads that hold a mutex or wait for one
std::atomic<bool> forking{false};
thread_local int held = 0;  // by this thread

void before_fork() {
    while (forking.exchange(true)) {  // another thread forks, too
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

// A thread that holds a mutex already is let through: fork() waits for it.
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
