#ifndef UNSTRIDE_RUNTIME_DEVICE_KERNEL_CALL_H
#define UNSTRIDE_RUNTIME_DEVICE_KERNEL_CALL_H

#include <cstdint>
#include <exception>
#include <functional>
#include <string>

#include "device/stream.h"
#include "process/mutex.h"

namespace unstride {

// One call of a kernel. Halide passes a pointer, the user context, through a kernel to everything that the kernel
// calls; here that is the call's context(). It tells unstride_parallel_for() to which call a loop belongs, and lets
// Halide's process-wide handlers tell our kernels from other Halide pipelines of the app, whose errors go where they
// went before.
//
// Errors that a kernel reports become exceptions of check(), where Halide would print them and abort. Work of a GPU is
// queued in the stream of the call, where Halide would take a context and a stream of its own. A call is made and
// destroyed by one thread; calls that overlap in a thread are destroyed in the reverse order.
class KernelCall {
public:
    // Prepares a call of a function of Halide's runtime, such as one for a GPU's memory, which has no parallel loops.
    explicit KernelCall(const Stream &stream);

    // A function to call, in the same thread, when a task is done. It gets the user context of the task and the task's
    // numbers in the outer and the inner loop. It returns an error of Halide's, or 0.
    using AfterTask = std::function<int(void *, int, int)>;

    // The parallel loop that the threads share. Every kernel has two, one in the other: the outer one over items, which
    // are groups and items of the batch, and the inner one over tasks.
    enum class Shared {
        items,
        tasks,
    };

    // Prepares a call of a kernel that up to `threads` threads compute.
    KernelCall(int threads, Shared shared, const Stream &stream, AfterTask after_task = nullptr);
    ~KernelCall();
    KernelCall(const KernelCall &) = delete;
    KernelCall &operator=(const KernelCall &) = delete;

    void *context();

    // Returns whether this is the user context of the call or the task that the calling thread runs.
    static bool is_ours(const void *user_context);

    // Does nothing if a kernel returned 0. Else throws what `after_task` threw, if it did, or OutOfMemory or
    // KernelError.
    void check(int code) const;

    // The place of a task in the loops of its call. The address of a Context is the user context of that task.
    struct Context {
        KernelCall *call;
        int depth;  // number of loops around the task
        int outer;  // turn of the outer loop, if there is one around it
    };

    // Runs a parallel loop for unstride_parallel_for(). `context` is that of the code around the loop.
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
    Mutex mutex_;                   // guards the next two, as all threads of the call may report errors
    std::string message_;
    std::exception_ptr exception_;
};

}  // namespace unstride

#endif
