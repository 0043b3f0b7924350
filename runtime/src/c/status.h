#ifndef UNSTRIDE_RUNTIME_C_STATUS_H
#define UNSTRIDE_RUNTIME_C_STATUS_H

#include <exception>

#include "unstride/c.h"

namespace unstride::c {

// Keeps the text of an error for unstride_last_error(), and returns its status.
unstride_status failed(const std::exception *error) noexcept;

// Runs what a function of the C API does, and returns its status: no exception gets past it.
template<typename Function>
unstride_status status_of(const Function &function) noexcept {
    try {
        function();
        return UNSTRIDE_OK;
    } catch (const std::exception &error) {
        return failed(&error);
    } catch (...) {
        return failed(nullptr);
    }
}

}  // namespace unstride::c

#endif
