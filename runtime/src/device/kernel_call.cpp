#include "device/kernel_call.h"

#include <HalideRuntime.h>
#include <HalideRuntimeCuda.h>

#include <algorithm>
#include <atomic>
#include <new>
#include <utility>

#include "process/thread_pool.h"
#include "unstride/error.h"
#include "unstride/register.h"

namespace unstride {
namespace {

// The context of the task that this thread runs, or of the call that it makes; null if it does neither. A thread runs
// no other task until one is done.
thread_local const KernelCall::Context *current = nullptr;

// Makes a context the thread's current one as long as the object lives.
class Running {
public:
    explicit Running(const KernelCall::Context &context) : outside_(std::exchange(current, &context)) {
    }
    ~Running() {
        current = outside_;
    }
    Running(const Running &) = delete;
    Running &operator=(const Running &) = delete;

private:
    const KernelCall::Context *const outside_;
};

// One of Halide's handlers, of which there is one for the whole process. Ours is installed anew by each call, and
// passes everything that does not belong to one of our calls on to the handler that was there before, which may be the
// app's.
template<typename Handler>
class Hook {
public:
    void install(Handler (*set)(Handler), Handler ours) {
        const Handler before = set(ours);
        if (before != ours) {
            others_ = before;
        }
    }
    Handler others() const {
        return others_;
    }

private:
    std::atomic<Handler> others_{nullptr};
};

Hook<halide_error_handler_t> error_hook;
Hook<halide_cuda_acquire_context_t> context_hook;
Hook<halide_cuda_get_stream_t> stream_hook;

}  // namespace

// A parallel loop of a kernel. Each thread that calls it takes the next turn of the loop until none is left or one
// fails.
struct KernelCall::Loop {
    const Context &around;
    halide_task_t task;
    int min, size;
    uint8_t *closure;
    std::atomic<int> next{0}, code{halide_error_code_success};

    void operator()() {
        for (int i = next++; i < size && code == halide_error_code_success; i = next++) {
            if (const int failure = turn(i)) {
                code = failure;
            }
        }
    }

    int turn(int i) {
        Context context{around.call, around.depth + 1, around.depth == 0 ? i : around.outer};
        const Running running(context);
        const int failure = task(&context, min + i, closure);
        return failure == halide_error_code_success && around.depth == 1 ? around.call->finish_task(context, i)
                                                                         : failure;
    }
};

KernelCall::KernelCall(const Stream &stream) : KernelCall(1, Shared::tasks, stream) {
}

KernelCall::KernelCall(int threads, Shared shared, const Stream &stream, AfterTask after_task)
    : threads_(threads), shared_(shared), stream_(stream), after_task_(std::move(after_task)), context_{this, 0, 0},
      outside_(std::exchange(current, &context_)) {
    error_hook.install(halide_set_error_handler, report);
    if (stream.device == Device::cuda) {
        context_hook.install(halide_set_cuda_acquire_context, acquire_context);
        stream_hook.install(halide_set_cuda_get_stream, get_stream);
    }
}

KernelCall::~KernelCall() {
    current = outside_;
}

void *KernelCall::context() {
    return &context_;
}

bool KernelCall::is_ours(const void *user_context) {
    return user_context != nullptr && user_context == current;
}

// The threads share one of the two outermost loops. Autoscheduled kernels may have more loops inside, which run in one
// thread.
// NOLINTNEXTLINE(readability-non-const-parameter): the closure is that of a halide_task_t
int KernelCall::run_loop(const Context &context, halide_task_t task, int min, int size, uint8_t *closure) {
    Loop loop{context, task, min, size, closure};
    const bool is_shared = context.depth == (shared_ == Shared::items ? 0 : 1);
    in_threads(is_shared ? std::min(threads_, size) : 1, loop);
    return loop.code;
}

// No exception may pass through a kernel, so that check() throws it later.
int KernelCall::finish_task(const Context &task, int inner) {
    if (!after_task_) {
        return halide_error_code_success;
    }
    try {
        return after_task_(const_cast<Context *>(&task), task.outer, inner);
    } catch (...) {
        const Lock lock(mutex_);
        exception_ = std::current_exception();
        return halide_error_code_generic_error;
    }
}

// Keeps an error's message in one line, as those of drivers have several. Where there is no memory for it, as may be
// when that is the error, the code of the error has to do: no exception may pass through the kernel that calls this.
void KernelCall::note_error(const char *message) {
    const Lock lock(mutex_);
    try {
        message_ = message;
    } catch (const std::bad_alloc &) {
        message_.clear();
    }
    std::replace(message_.begin(), message_.end(), '\n', ' ');
}

void KernelCall::report(void *user_context, const char *message) {
    if (is_ours(user_context)) {
        current->call->note_error(message);
    } else {
        error_hook.others()(user_context, message);
    }
}

int KernelCall::acquire_context(void *user_context, void **context, bool create) {
    if (!is_ours(user_context)) {
        return context_hook.others()(user_context, context, create);
    }
    *context = current->call->stream_.context;
    return halide_error_code_success;
}

int KernelCall::get_stream(void *user_context, void *context, void **stream) {
    if (!is_ours(user_context)) {
        return stream_hook.others()(user_context, context, stream);
    }
    *stream = current->call->stream_.handle;
    return halide_error_code_success;
}

void KernelCall::check(int code) const {
    if (code == halide_error_code_success) {
        return;
    }
    if (exception_) {
        std::rethrow_exception(exception_);
    }
    if (code == halide_error_code_out_of_memory) {
        throw OutOfMemory("out of memory: a kernel could not allocate its scratch");
    }
    const auto says = [&](const char *error) { return message_.find(error) != std::string::npos; };
    if (code == halide_error_code_device_malloc_failed &&
        (says("CUDA_ERROR_OUT_OF_MEMORY") || says("CL_MEM_OBJECT_ALLOCATION_FAILURE") || says("CL_OUT_OF") ||
         says("CL_INVALID_BUFFER_SIZE"))) {
        throw OutOfMemory("out of memory: a GPU could not allocate an array: " + message_);
    }
    throw KernelError("kernel error " + std::to_string(code) + ": " + message_);
}

}  // namespace unstride

extern "C" int unstride_parallel_for(void *user_context, int (*task)(void *, int, uint8_t *), int min, int size,
                                     uint8_t *closure) {
    const auto &context = *static_cast<const unstride::KernelCall::Context *>(user_context);
    return context.call->run_loop(context, task, min, size, closure);
}

// Replaces Halide's function of this name, and denies it to keep the memory of our freed arrays for later ones. A later
// array may be used in another stream, whose work does not wait for work that still reads the freed one. Also, memory
// that Halide keeps would be lost for other libraries in the process.
extern "C" bool halide_can_reuse_device_allocations(void *user_context) {
    return !unstride::KernelCall::is_ours(user_context);
}
