#ifndef UNSTRIDE_RUNTIME_KERNEL_CALL_H
#define UNSTRIDE_RUNTIME_KERNEL_CALL_H

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "queue.h"

namespace unstride {

// One call of a kernel, passed to it as its user context. Through it Halide's process-wide handlers know our kernels from
// other Halide pipelines of the app, whose errors and loops go where they went before.
//
// What a kernel reports comes back as an exception of its call, where Halide's default would print it and abort. And its
// loops never run in more threads than the call was given, which Halide's pool does not promise once it has more. What a GPU does is queued
// where the call says, in place of a context and a stream of Halide's own.
class KernelCall {
public:
    // Of a kernel for a GPU, or of what Halide's runtime does with its memory.
    explicit KernelCall(const Queue &queue);

    // What to do, in its thread, when a task is done: given the call's user context and the task's number in the outer and the inner loop. Returns
    // an error of Halide's, or 0.
    using AfterTask = std::function<int(void *, int, int)>;

    // Every kernel has two parallel loops, one in the other: over items (groups and the batch), and over tasks. The threads share
    // the outer one, or else the inner one.
    KernelCall(int threads, bool share_outer, const Queue &queue, AfterTask after_task = nullptr);
    ~KernelCall();
    KernelCall(const KernelCall &) = delete;
    KernelCall &operator=(const KernelCall &) = delete;

    // Whether that is the user context of a call under way.
    static bool is_ours(void *user_context);

    // Throws OutOfMemory or KernelError unless the kernel returned 0.
    void check(int code) const;

private:
    static KernelCall *find(void *user_context);
    struct Sharing {
        int threads;
        bool outer;
        const AfterTask *after_task;
    };
    static Sharing sharing(void *user_context);
    static std::optional<Queue> queue(void *user_context);
    static void report(void *user_context, const char *message);
    static int acquire_context(void *user_context, void **context, bool create);
    static int get_stream(void *user_context, void *context, void **stream);
    static int run_loop(void *user_context, int (*task)(void *, int, uint8_t *), int min, int size, uint8_t *closure);

    const AfterTask after_task_;
    const Sharing sharing_;
    const Queue queue_;
    std::string message_;  // guarded by the mutex of all calls: kernels report from any thread of the pool
};

}  // namespace unstride

#endif
