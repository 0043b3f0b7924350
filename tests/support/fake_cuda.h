#ifndef UNSTRIDE_TESTS_FAKE_CUDA_H
#define UNSTRIDE_TESTS_FAKE_CUDA_H

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

// What the driver of fake_cuda.cpp has, and what it was asked for. Its function fake_cuda() returns it.
struct FakeCuda {
    int device_count = 1;
    size_t memory = size_t{1} << 33;
    int capability = 9;
    std::vector<void *> stack;       // the contexts; the current one is last
    std::vector<std::string> calls;  // all that do something

    static void *primary() {                                 // the context of the device
        return reinterpret_cast<void *>(uintptr_t{0x1000});  // NOLINT(performance-no-int-to-ptr): a handle
    }
};

#endif
