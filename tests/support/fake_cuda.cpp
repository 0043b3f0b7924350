// A CUDA driver without a GPU: it keeps arrays in the process's memory, launches nothing, and writes down what it is
// asked for. It is built as libcuda.so.1, so that tests see what the library asks of a driver.

#include "support/fake_cuda.h"

#include <cstdlib>
#include <cstring>

namespace {

FakeCuda state;

void note(const std::string &call) {
    state.calls.push_back(call);
}

std::string text(const void *pointer) {
    return std::to_string(reinterpret_cast<uintptr_t>(pointer));
}

constexpr int success = 0, invalid_value = 1, out_of_memory = 2, no_device = 100;

}  // namespace

extern "C" {

FakeCuda *fake_cuda() {
    return &state;
}

int cuInit(unsigned) {
    return state.device_count > 0 ? success : no_device;
}
int cuDeviceGetCount(int *count) {
    *count = state.device_count;
    return success;
}
int cuDeviceGet(int *device, int ordinal) {
    *device = ordinal;
    return success;
}
int cuDeviceGetName(char *name, int size, int) {
    std::strncpy(name, "A made-up GPU", static_cast<size_t>(size));
    return success;
}
int cuDeviceTotalMem_v2(size_t *bytes, int) {
    *bytes = state.memory;
    return success;
}
int cuDeviceGetAttribute(int *value, int attribute, int) {
    switch (attribute) {
    case 13:  // clock, kHz
        *value = 1'500'000;
        break;
    case 16:  // multiprocessors
        *value = 100;
        break;
    case 36:  // memory clock, kHz
        *value = 1'000'000;
        break;
    case 37:  // bits of the bus
        *value = 4096;
        break;
    case 115:  // memory pools
        *value = 1;
        break;
    case 75:  // compute capability
        *value = state.capability;
        break;
    default:
        *value = 0;
    }
    return success;
}

int cuCtxGetCurrent(void **context) {
    *context = state.stack.empty() ? nullptr : state.stack.back();
    return success;
}
int cuDevicePrimaryCtxRetain(void **context, int) {
    note("retain primary");
    *context = FakeCuda::primary();
    return success;
}
int cuCtxPushCurrent_v2(void *context) {
    state.stack.push_back(context);
    return success;
}
int cuCtxPopCurrent_v2(void **context) {
    if (state.stack.empty()) {
        return invalid_value;
    }
    *context = state.stack.back();
    state.stack.pop_back();
    return success;
}
int cuCtxCreate_v2(void **, unsigned, int) {
    note("create context");
    return invalid_value;
}
int cuCtxDestroy_v2(void *) {
    return success;
}
int cuProfilerStop() {
    return success;
}
int cuCtxGetApiVersion(void *, unsigned *version) {
    *version = 12000;
    return success;
}
int cuCtxGetDevice(int *device) {
    *device = 0;
    return success;
}
int cuCtxSynchronize() {
    note("synchronize context");
    return success;
}
int cuStreamSynchronize(void *stream) {
    note("synchronize stream " + text(stream));
    return success;
}

int cuModuleLoadData(void **module, const void *) {
    note("load module");
    *module = &state;
    return success;
}
int cuModuleLoadDataEx(void **module, const void *, unsigned count, const int *options, void **values) {
    std::string call = "load module";
    for (unsigned i = 0; i < count; i++) {
        call += options[i] == 0 ? ", registers " + text(values[i]) : "";
    }
    note(call);
    *module = &state;
    return success;
}
int cuModuleUnload(void *) {
    return success;
}
int cuModuleGetFunction(void **function, void *, const char *) {
    *function = &state;
    return success;
}
int cuLaunchKernel(void *, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void *stream, void **,
                   void **) {
    note("launch in context " + text(state.stack.back()) + ", stream " + text(stream));
    return success;
}

int cuMemAlloc_v2(uint64_t *pointer, size_t bytes) {
    if (bytes > state.memory) {
        return out_of_memory;
    }
    note("allocate " + std::to_string(bytes));
    *pointer = reinterpret_cast<uint64_t>(std::malloc(bytes));
    return success;
}
int cuMemFree_v2(uint64_t pointer) {
    note("free");
    std::free(reinterpret_cast<void *>(pointer));  // NOLINT(performance-no-int-to-ptr): CUDA's own type
    return success;
}
int cuMemAllocAsync(uint64_t *pointer, size_t bytes, void *stream) {
    if (bytes > state.memory) {
        return out_of_memory;
    }
    note("allocate " + std::to_string(bytes) + " in stream " + text(stream));
    *pointer = reinterpret_cast<uint64_t>(std::malloc(bytes));
    return success;
}
int cuMemFreeAsync(uint64_t pointer, void *stream) {
    note("free in stream " + text(stream));
    std::free(reinterpret_cast<void *>(pointer));  // NOLINT(performance-no-int-to-ptr): CUDA's own type
    return success;
}
int cuMemcpyHtoD_v2(uint64_t to, const void *from, size_t bytes) {
    note("upload " + std::to_string(bytes));
    std::memcpy(reinterpret_cast<void *>(to), from, bytes);  // NOLINT(performance-no-int-to-ptr): CUDA's own type
    return success;
}
int cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t bytes, void *stream) {
    note("stream " + text(stream));
    return cuMemcpyHtoD_v2(to, from, bytes);
}
int cuMemcpyDtoH_v2(void *to, uint64_t from, size_t bytes) {
    note("download " + std::to_string(bytes));
    std::memcpy(to, reinterpret_cast<const void *>(from), bytes);  // NOLINT(performance-no-int-to-ptr): CUDA's own type
    return success;
}
int cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t bytes, void *stream) {
    note("stream " + text(stream));
    return cuMemcpyDtoH_v2(to, from, bytes);
}
int cuMemcpyDtoD_v2(uint64_t, uint64_t, size_t) {
    return invalid_value;
}
int cuMemcpyDtoDAsync_v2(uint64_t, uint64_t, size_t, void *) {
    return invalid_value;
}
int cuMemcpy3D_v2(const void *) {
    return invalid_value;
}
int cuPointerGetAttribute(void *, int, uint64_t) {
    return invalid_value;
}
}
