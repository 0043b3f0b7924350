#ifndef UNSTRIDE_RUNTIME_PROCESS_THREAD_POOL_H
#define UNSTRIDE_RUNTIME_PROCESS_THREAD_POOL_H

#include <type_traits>

namespace unstride {

// Calls share(closure) in the calling thread and, at the same time, in up to `threads` - 1 others of the process's
// pool, and returns when all of these calls have. All have the caller's floating-point environment. There may be fewer
// of them, so that a share has to take as much work as there is. A thread does nothing else between the start and the
// end of a share. `share` must not throw.
//
// In place of Halide's pool, whose threads take tasks of other calls while they wait, keep the floating-point
// environment that they were born with, and are taken for running in a child of fork().
void share_work(int threads, void (*share)(void *closure), void *closure);

// The same with a function object.
template<typename Share>
void in_threads(int threads, Share &&share) {
    share_work(
        threads, [](void *closure) { (*static_cast<std::remove_reference_t<Share> *>(closure))(); }, &share);
}

}  // namespace unstride

#endif
