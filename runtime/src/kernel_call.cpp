#include "kernel_call.h"

#include <HalideRuntime.h>
#include <HalideRuntimeCuda.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <set>
#include <utility>

#include "unstride/error.h"

namespace unstride {
namespace {

std::mutex mutex;
std::set<void *> &calls = *new std::set<void *>;  // those under way, guarded by the mutex; Halide's runtime asks to the end of the process
halide_error_handler_t previous_error_handler = nullptr;
halide_do_par_for_t previous_do_par_for = nullptr;
halide_cuda_acquire_context_t previous_acquire_context = nullptr;
halide_cuda_get_stream_t previous_get_stream = nullptr;

enum class Place {
    outer,   // outside of both loops
    inner,   // in a turn of the outer loop, with all threads at hand
    worker,  // one of several threads
};
thread_local Place place = Place::outer;
thread_local int outer_turn = 0;  // that the thread is in

// A loop whose turns several workers take one after the other.
struct Loop {
    halide_task_t task;
    int min, size;
    uint8_t *closure;
    const KernelCall::AfterTask &after_task;  // of an inner loop, in a turn of the outer one
    const int outer;
    Place inside = Place::worker;
    std::atomic<int> next{0}, code{halide_error_code_success};

    static int work(void *user_context, int, uint8_t *self) {  // NOLINT(readability-non-const-parameter): a halide_task_t
        auto &loop = *reinterpret_cast<Loop *>(self);
        const Place outside = std::exchange(place, loop.inside);
        const int turn_outside = outer_turn;
        for (int i = loop.next++; i < loop.size && loop.code == halide_error_code_success; i = loop.next++) {
            outer_turn = outside == Place::outer ? i : turn_outside;
            if (const int failure = loop.turn(user_context, i)) {
                loop.code = failure;
            }
        }
        place = outside;
        outer_turn = turn_outside;
        return loop.code;
    }

    int turn(void *user_context, int i) const {
        const int failure = halide_do_task(user_context, task, min + i, closure);
        return failure == halide_error_code_success && after_task ? after_task(user_context, outer, i) : failure;
    }
};

}  // namespace

// With the mutex held.
KernelCall *KernelCall::find(void *user_context) {
    return calls.count(user_context) != 0 ? static_cast<KernelCall *>(user_context) : nullptr;
}

void KernelCall::report(void *user_context, const char *message) {
    {
        const std::lock_guard<std::mutex> lock(mutex);
        if (KernelCall *call = find(user_context)) {
            call->message_ = message;
            std::replace(call->message_.begin(), call->message_.end(), '\n', ' ');  // drivers' errors have several lines
            return;
        }
    }
    previous_error_handler(user_context, message);
}

// No threads for a pipeline that is not ours.
KernelCall::Sharing KernelCall::sharing(void *user_context) {
    const std::lock_guard<std::mutex> lock(mutex);
    const KernelCall *call = find(user_context);
    return call != nullptr ? call->sharing_ : Sharing{0, false, nullptr};
}

int KernelCall::run_loop(void *user_context, halide_task_t task, int min, int size, uint8_t *closure) {
    const auto [threads, outer, after_task] = sharing(user_context);
    if (threads == 0) {
        return previous_do_par_for(user_context, task, min, size, closure);
    }
    static const AfterTask nothing;
    Loop loop{task, min, size, closure, place == Place::outer ? nothing : *after_task, outer_turn};
    const bool parallel = place == Place::inner || (place == Place::outer && outer);
    loop.inside = place == Place::outer && !parallel ? Place::inner : Place::worker;
    const int workers = parallel ? std::min(threads, size) : 1;
    if (workers == 1) {
        return Loop::work(user_context, 0, reinterpret_cast<uint8_t *>(&loop));
    }
    return previous_do_par_for(user_context, Loop::work, 0, workers, reinterpret_cast<uint8_t *>(&loop));
}

std::optional<Queue> KernelCall::queue(void *user_context) {
    const std::lock_guard<std::mutex> lock(mutex);
    const KernelCall *call = find(user_context);
    return call != nullptr ? std::optional(call->queue_) : std::nullopt;
}

int KernelCall::acquire_context(void *user_context, void **context, bool create) {
    const std::optional<Queue> ours = queue(user_context);
    if (!ours) {
        return previous_acquire_context(user_context, context, create);
    }
    *context = ours->context;
    return halide_error_code_success;
}

int KernelCall::get_stream(void *user_context, void *context, void **stream) {
    const std::optional<Queue> ours = queue(user_context);
    if (!ours) {
        return previous_get_stream(user_context, context, stream);
    }
    *stream = ours->stream;
    return halide_error_code_success;
}

KernelCall::KernelCall(const Queue &queue)
    : KernelCall(1, false, queue) {
}

KernelCall::KernelCall(int threads, bool share_outer, const Queue &queue, AfterTask after_task)
    : after_task_(std::move(after_task)), sharing_{threads, share_outer, &after_task_}, queue_(queue) {
    static std::once_flag once;
    std::call_once(once, [] {
        previous_error_handler = halide_set_error_handler(report);
        previous_do_par_for = halide_set_custom_do_par_for(run_loop);
        previous_acquire_context = halide_set_cuda_acquire_context(acquire_context);
        previous_get_stream = halide_set_cuda_get_stream(get_stream);
    });
    const std::lock_guard<std::mutex> lock(mutex);
    calls.insert(this);
}

KernelCall::~KernelCall() {
    const std::lock_guard<std::mutex> lock(mutex);
    calls.erase(this);
}

void KernelCall::check(int code) const {
    if (code == halide_error_code_success) {
        return;
    }
    if (code == halide_error_code_out_of_memory) {
        throw OutOfMemory("out of memory: a kernel could not allocate its scratch");
    }
    const auto says = [&](const char *error) {
        return message_.find(error) != std::string::npos;
    };
    if (code == halide_error_code_device_malloc_failed &&
        (says("CUDA_ERROR_OUT_OF_MEMORY") || says("CL_MEM_OBJECT_ALLOCATION_FAILURE") || says("CL_OUT_OF") || says("CL_INVALID_BUFFER_SIZE"))) {
        throw OutOfMemory("out of memory: a GPU could not allocate an array: " + message_);
    }
    throw KernelError("kernel error " + std::to_string(code) + ": " + message_);
}

bool KernelCall::is_ours(void *user_context) {
    return queue(user_context).has_value();
}

}  // namespace unstride

// In place of Halide's, which keeps the memory of freed arrays for later ones. These may be in another stream, whose work does not wait for
// what still reads it; and other libraries of the process could not have it.
extern "C" bool halide_can_reuse_device_allocations(void *user_context) {
    return !unstride::KernelCall::is_ours(user_context);
}
