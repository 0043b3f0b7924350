#ifndef UNSTRIDE_RUNTIME_PROCESS_MUTEX_H
#define UNSTRIDE_RUNTIME_PROCESS_MUTEX_H

#include <mutex>

namespace unstride {

// A mutex that no thread holds while the process forks: fork() waits until all are free, and a thread that wants to
// lock one waits for fork(). So the child of a fork, which has no thread but the one that forked, finds every mutex
// free and the data that it guards complete.
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
