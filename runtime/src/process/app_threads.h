#ifndef UNSTRIDE_RUNTIME_PROCESS_APP_THREADS_H
#define UNSTRIDE_RUNTIME_PROCESS_APP_THREADS_H

namespace unstride {

// As long as an object of this class lives, calls of the thread that made it run in threads of the app's. An app that
// has a pool of its own, such as PyTorch, then has no second one, whose threads would look for work on the processors
// that the first one needs.
class AppThreads {
public:
    // Does what share_work does (process/thread_pool.h).
    using Run = void (*)(int threads, void (*share)(void *closure), void *closure);

    // `run` is null for the library's own pool, and `threads` is 0 for the number of the process. Throws
    // InvalidArgument.
    AppThreads(Run run, int threads);
    ~AppThreads();
    AppThreads(const AppThreads &) = delete;
    AppThreads &operator=(const AppThreads &) = delete;

    // Returns the object that the calling thread has made last, or null.
    static const AppThreads *of_this_thread();

    Run run() const {
        return run_;
    }
    int threads() const {
        return threads_;
    }

private:
    const Run run_;
    const int threads_;
    const AppThreads *const outside_;
};

}  // namespace unstride

#endif
