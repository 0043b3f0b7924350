#ifndef UNSTRIDE_RUNTIME_PROCESS_THREAD_POOL_H
#define UNSTRIDE_RUNTIME_PROCESS_THREAD_POOL_H

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <type_traits>

namespace unstride {

// Calls share(closure) in the calling thread and, at the same time, in up to `threads` - 1 threads of the process's
// pool, and returns when all of these calls have returned. All of them run in the caller's floating-point environment.
// There may be fewer calls than `threads`, so each call should take work for as long as there is some. A thread does
// nothing else between the start and the end of such a call. `share` must not throw.
//
// Where the calling thread has AppThreads, they take the place of the pool's.
//
// This pool takes the place of Halide's. Threads of that one take tasks of other calls while they wait, keep the
// floating-point environment in which they were started, and are believed to run in the child of a fork, too.
void share_work(int threads, void (*share)(void *closure), void *closure);

// Calls the function object `share` in up to `threads` threads at once, as share_work does.
template<typename Share>
void in_threads(int threads, Share &&share) {
    share_work(
        threads, [](void *closure) { (*static_cast<std::remove_reference_t<Share> *>(closure))(); }, &share);
}

// Calls turn(i) once for each i from 0 to `count` - 1, in up to `threads` threads at once, in any order. `turn` must
// not throw.
template<typename Turn>
void share_turns(int threads, int64_t count, const Turn &turn) {
    std::atomic<int64_t> next{0};
    in_threads(static_cast<int>(std::min<int64_t>(threads, count)), [&] {
        for (int64_t i = next++; i < count; i = next++) {
            turn(i);
        }
    });
}

}  // namespace unstride

#endif
