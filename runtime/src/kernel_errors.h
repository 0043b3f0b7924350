#ifndef UNSTRIDE_RUNTIME_KERNEL_ERRORS_H
#define UNSTRIDE_RUNTIME_KERNEL_ERRORS_H

#include <string>

namespace unstride {

// One call of a kernel, passed to it as its user context, so that what it reports comes back as an exception of this
// call. Halide's default would print it and abort. Errors of other Halide pipelines in the process go where they went before.
class KernelCall {
public:
    KernelCall();
    ~KernelCall();
    KernelCall(const KernelCall &) = delete;
    KernelCall &operator=(const KernelCall &) = delete;

    // Throws OutOfMemory or KernelError unless the kernel returned 0.
    void check(int code) const;

private:
    static void report(void *user_context, const char *message);

    std::string message_;
};

}  // namespace unstride

#endif
