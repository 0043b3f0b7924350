#include "c/status.h"

#include <new>

#include "c/text.h"
#include "unstride/error.h"

namespace unstride::c {
namespace {

// It has no destructor, which would keep a plugin with the library inside from being unloaded while the thread lives,
// and would end before other destructors of the thread or the process that may still call the library.
thread_local char last_error[2048] = "";

unstride_status status_for(const std::exception *error) {
    if (dynamic_cast<const InvalidArgument *>(error) != nullptr) {
        return UNSTRIDE_INVALID_ARGUMENT;
    }
    if (dynamic_cast<const OutOfMemory *>(error) != nullptr || dynamic_cast<const std::bad_alloc *>(error) != nullptr) {
        return UNSTRIDE_OUT_OF_MEMORY;
    }
    if (dynamic_cast<const DeviceError *>(error) != nullptr) {
        return UNSTRIDE_DEVICE_ERROR;
    }
    return dynamic_cast<const KernelError *>(error) != nullptr ? UNSTRIDE_KERNEL_ERROR : UNSTRIDE_INTERNAL_ERROR;
}

}  // namespace

unstride_status failed(const std::exception *error) noexcept {
    write_text(error != nullptr ? error->what() : "unknown exception", last_error, sizeof last_error);
    return status_for(error);
}

}  // namespace unstride::c

const char *unstride_last_error(void) {
    return unstride::c::last_error;
}
