#include "process/thread_pool.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <cfenv>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <new>
#include <thread>

#include "process/app_threads.h"
#include "process/lasting.h"
#include "process/processors.h"

namespace unstride {
namespace {

constexpr int most_helpers = 255;

// How often a thread looks for work before it sleeps. This many looks take some 20 microseconds. Often the next
// parallel loop begins sooner than a sleeping thread would wake.
constexpr int patience = 500;

void pause() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

struct Job {
    void (*share)(void *);
    void *closure;
    int helpers;                  // number of the pool's first helpers that may join, the same ones for each loop
    int wanted = helpers;         // number of helpers that may still join; guarded by the pool's mutex
    std::atomic<int> running{0};  // number of helpers that have joined and are not done
    std::fenv_t environment{};    // floating-point environment of the thread that posted the job
    Job *next = nullptr;
};

class Pool {
    struct Helper {
        Pool *pool = nullptr;
        pthread_t thread{};
        std::condition_variable work;
    };

public:
    Pool() = default;
    Pool(const Pool &) = delete;
    Pool &operator=(const Pool &) = delete;

    ~Pool() {
        {
            const std::lock_guard<std::mutex> lock(mutex_);
            stopping_ = true;
        }
        for (int i = 0; i < started_; i++) {
            helpers_[i].work.notify_one();
            pthread_join(helpers_[i].thread, nullptr);
        }
    }

    void run(Job &job) {
        std::fegetenv(&job.environment);
        post(job);
        job.share(job.closure);
        std::unique_lock<std::mutex> lock(mutex_);
        withdraw(job);
        const auto is_done = [&] { return job.running == 0; };
        if (!is_done()) {
            wait(lock, done_, is_done, is_done);
        }
    }

private:
    void post(Job &job) {
        const std::lock_guard<std::mutex> lock(mutex_);
        while (started_ < std::min(job.helpers, most_helpers) && start_helper()) {
        }
        job.next = jobs_;
        jobs_ = &job;
        wanted_ += job.wanted;
        for (int i = 0; i < std::min(job.helpers, started_); i++) {
            helpers_[i].work.notify_one();
        }
    }

    // Takes the job off the list, so that no more helpers join it. The mutex must be locked.
    void withdraw(Job &job) {
        Job **place = &jobs_;
        while (*place != &job) {
            place = &(*place)->next;
        }
        *place = job.next;
        wanted_ -= job.wanted;
        job.wanted = 0;
    }

    // Starts one more helper, unless the system refuses. Signals are for threads of the app, so that helpers block all
    // but a profiler's and those that report a fault in the helper itself.
    bool start_helper() {
        sigset_t all, before;
        sigfillset(&all);
        for (const int own : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT, SIGPROF}) {
            sigdelset(&all, own);
        }
        pthread_sigmask(SIG_SETMASK, &all, &before);
        Helper &helper = helpers_[started_];
        helper.pool = this;
        const auto serve = [](void *self) -> void * {
            auto &helper = *static_cast<Helper *>(self);
            helper.pool->serve(helper);
            return nullptr;
        };
        const bool started = pthread_create(&helper.thread, nullptr, serve, &helper) == 0;
        pthread_sigmask(SIG_SETMASK, &before, nullptr);
        started_ += started ? 1 : 0;
        return started;
    }

    void serve(Helper &helper) {
        const auto number = static_cast<int>(&helper - helpers_);
        std::unique_lock<std::mutex> lock(mutex_);
        while (!stopping_) {
            if (Job *job = find(number)) {
                job->wanted--;
                wanted_--;
                job->running++;
                lock.unlock();
                std::fesetenv(&job->environment);
                job->share(job->closure);
                lock.lock();
                // As soon as nothing runs, the thread that posted the job may return, and the job is gone.
                if (--job->running == 0) {
                    done_.notify_all();
                }
                continue;
            }
            const auto is_wanted = [&] { return find(number) != nullptr || stopping_; };
            wait(
                lock, helper.work, [&] { return wanted_ > 0; }, is_wanted);
        }
    }

    // Waits until the condition holds: looks at `hint` for a while, and then sleeps until `signal`. The caller has
    // locked the mutex, which is unlocked while the thread looks, so that `hint` must be safe without it. If there are
    // more threads than processors, the thread sleeps at once, as looking would keep another thread from its work.
    template<typename Hint, typename Condition>
    void wait(std::unique_lock<std::mutex> &lock, std::condition_variable &signal, const Hint &hint,
              const Condition &condition) {
        const int looks = started_ < processors_ ? patience : 0;
        lock.unlock();
        for (int look = 0; look < looks && !hint(); look++) {
            pause();
        }
        lock.lock();
        signal.wait(lock, condition);
    }

    // Returns a job that the helper of this number may join, or null. The mutex must be locked.
    Job *find(int helper) const {
        Job *job = jobs_;
        while (job != nullptr && (job->wanted == 0 || helper >= job->helpers)) {
            job = job->next;
        }
        return job;
    }

    std::mutex mutex_;
    std::condition_variable done_;
    Job *jobs_ = nullptr;
    std::atomic<int> wanted_{0};  // number of helpers that may still join any of the jobs
    bool stopping_ = false;
    int started_ = 0;  // number of helpers whose threads run
    const int processors_ = usable_processors();
    Helper helpers_[most_helpers];
};

Lasting<constructed<Pool>> pool;

// Gives the child of a fork a new pool, which starts threads when it needs them. The old pool's threads are not in the
// child, and its mutex and condition variables may be in any state, so that it is not destroyed but overwritten.
void renew_in_child() {
    if (Pool *old = pool.get_if_made()) {
        new (old) Pool;
    }
}

[[gnu::constructor]] void watch_forks() {
    pthread_atfork(nullptr, nullptr, renew_in_child);
}

// Returns the pool, or null where there is no memory to make it. Kernels share their work, and no exception may pass
// through them.
Pool *pool_if_there_is_memory() {
    try {
        return &pool.get();
    } catch (const std::bad_alloc &) {
        return nullptr;
    }
}

// Shares work in threads of the app's, which get their own floating-point environments back.
void run_in_app(AppThreads::Run run, int threads, void (*share)(void *closure), void *closure) {
    struct Work {
        void (*share)(void *);
        void *closure;
        std::fenv_t environment{};
    } work{share, closure};
    std::fegetenv(&work.environment);
    run(
        threads,
        [](void *given) {
            const Work &work = *static_cast<const Work *>(given);
            std::fenv_t own;
            std::fegetenv(&own);
            std::fesetenv(&work.environment);
            work.share(work.closure);
            std::fesetenv(&own);
        },
        &work);
}

}  // namespace

void share_work(int threads, void (*share)(void *closure), void *closure) {
    if (threads <= 1) {
        share(closure);
        return;
    }
    if (const AppThreads *app = AppThreads::of_this_thread(); app != nullptr && app->run() != nullptr) {
        run_in_app(app->run(), threads, share, closure);
        return;
    }
    Pool *const helpers = pool_if_there_is_memory();
    if (helpers == nullptr) {
        share(closure);
        return;
    }
    Job job{share, closure, threads - 1};
    helpers->run(job);
}

}  // namespace unstride
