#include "kernel_errors.h"

#include <HalideRuntime.h>

#include <mutex>
#include <set>

#include "unstride/error.h"

namespace unstride {
namespace {

std::mutex mutex;
std::set<const void *> calls;  // those under way, guarded by the mutex
halide_error_handler_t previous = nullptr;

}  // namespace

// Kernels report from any thread of the pool.
void KernelCall::report(void *user_context, const char *message) {
    {
        const std::lock_guard<std::mutex> lock(mutex);
        if (calls.count(user_context) != 0) {
            static_cast<KernelCall *>(user_context)->message_ = message;
            return;
        }
    }
    previous(user_context, message);
}

KernelCall::KernelCall() {
    static std::once_flag once;
    std::call_once(once, [] {
        previous = halide_set_error_handler(report);
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
    throw KernelError("kernel error " + std::to_string(code) + ": " + message_);
}

}  // namespace unstride
