#ifndef UNSTRIDE_RUNTIME_PROCESS_MUTEX_H
#define UNSTRIDE_RUNTIME_PROCESS_MUTEX_H

#include <mutex>

namespace unstride {

// A mutex that no thread holds while the process forks: fork() waits for those that do, and those that want one wait
// for fork(). A child, which has the forking thread only, so finds every mutex free and what it guards whole.
class Mutex {
public:
    void lock() {
        enter();
        mutex_.lock();
    }
    void unlock() {
        mutex_.unlock();
        leave();
    }

private:
    static void enter();
    static void leave();

    std::mutex mutex_;
};

using Lock = std::lock_guard<Mutex>;

}  // namespace unstride

#endif
