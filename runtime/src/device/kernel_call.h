#ifndef UNSTRIDE_RUNTIME_DEVICE_KERNEL_CALL_H
#define UNSTRIDE_RUNTIME_DEVICE_KERNEL_CALL_H

#include <cstdint>
#include <exception>
#include <functional>
#include <string>

#include "device/stream.h"
#include "process/mutex.h"

namespace unstride {

// One call of a kernel, whose context() is the kernel's user context. By it the loops of a kernel, which call
// unstride_parallel_for(), know the call that they belong to, and Halide's process-wide handlers know our kernels from
// other Halide pipelines of the app, whose errors go where they went before.
//
// What a kernel reports comes back as an exception of its call, where Halide's default would print it and abort. What a
// GPU does is queued where the call says, in place of a context and a stream of Halide's own. A call is made and
// destroyed by one thread, and the last one made there is destroyed first.
class KernelCall {
public:
    // Of a kernel for a GPU, or of what Halide's runtime does with its memory.
    explicit KernelCall(const Stream &stream);

    // What to do, in its thread, when a task is done: given the user context of the task and its number in the outer
    // and the inner loop. Returns an error of Halide's, or 0.
    using AfterTask = std::function<int(void *, int, int)>;

    // Every kernel has two parallel loops, one in the other: over items (groups and the batch), and over tasks. The
    // threads share one of them.
    enum class Shared {
        items,
        tasks,
    };
    KernelCall(int threads, Shared shared, const Stream &stream, AfterTask after_task = nullptr);
    ~KernelCall();
    KernelCall(const KernelCall &) = delete;
    KernelCall &operator=(const KernelCall &) = delete;

    void *context();

    // Whether the calling thread runs a kernel of a call of ours with this user context.
    static bool is_ours(const void *user_context);

    // Throws OutOfMemory or KernelError unless the kernel returned 0, or else what the work after a task has thrown.
    void check(int code) const;

    // Where in the loops of its call a task is; its address is the user context.
    struct Context {
        KernelCall *call;
        int depth;  // loops around it
        int outer;  // turn of the outer loop
    };
    int run_loop(const Context &context, int (*task)(void *, int, uint8_t *), int min, int size, uint8_t *closure);

private:
    struct Loop;

    int finish_task(const Context &task, int inner);
    void note_error(const char *message);
    static void report(void *user_context, const char *message);
    static int acquire_context(void *user_context, void **context, bool create);
    static int get_stream(void *user_context, void *context, void **stream);

    const int threads_;
    const Shared shared_;
    const Stream stream_;
    const AfterTask after_task_;
    Context context_;
    const Context *const outside_;  // the thread's context before this call
    Mutex mutex_;                   // kernels report from any thread
    std::string message_;
    std::exception_ptr exception_;
};

}  // namespace unstride

#endif
