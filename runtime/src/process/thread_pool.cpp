#include "process/thread_pool.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <cfenv>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <thread>

#include "process/lasting.h"
#include "process/processors.h"

namespace unstride {
namespace {

constexpr int most_helpers = 255;

// Looks before a thread sleeps, some 20 microseconds of them: to wake it takes longer than the time between many loops.
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
    int helpers;           // so many of the pool's first may join: few threads stay the same ones from loop to loop
    int wanted = helpers;  // more of them, guarded by the pool's mutex
    std::atomic<int> running{0};
    std::fenv_t environment{};
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

    // No helper joins from now on.
    void withdraw(Job &job) {
        Job **place = &jobs_;
        while (*place != &job) {
            place = &(*place)->next;
        }
        *place = job.next;
        wanted_ -= job.wanted;
        job.wanted = 0;
    }

    // Signals are for the threads of the app, but for those that tell of a fault in this one, and of a profiler.
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
                if (--job->running == 0) {  // and job may be gone
                    done_.notify_all();
                }
                continue;
            }
            const auto is_wanted = [&] { return find(number) != nullptr || stopping_; };
            wait(
                lock, helper.work, [&] { return wanted_ > 0; }, is_wanted);
        }
    }

    // With the mutex locked. `hint` is looked at without it. Where there are more threads than processors, one that
    // looks only keeps another one from work.
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

    // One that a helper may join.
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
    std::atomic<int> wanted_{0};  // helpers, by all jobs
    bool stopping_ = false;
    int started_ = 0;
    const int processors_ = usable_processors();
    Helper helpers_[most_helpers];
};

Lasting<constructed<Pool>> pool;

// None of its threads are in the child, which starts others when it needs them. What they held there is of no use to
// anybody.
void renew_in_child() {
    if (Pool *old = pool.get_if_made()) {
        new (old) Pool;
    }
}

[[gnu::constructor]] void watch_forks() {
    pthread_atfork(nullptr, nullptr, renew_in_child);
}

}  // namespace

void share_work(int threads, void (*share)(void *closure), void *closure) {
    if (threads <= 1) {
        share(closure);
        return;
    }
    Job job{share, closure, threads - 1};
    pool.get().run(job);
}

}  // namespace unstride
