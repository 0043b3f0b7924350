#include <dlfcn.h>

#include <array>
#include <cstdlib>

#include "device/driver.h"
#include "unstride/error.h"

namespace unstride {
namespace {

// These are declarations of cuda.h, which is not there on all machines that build this library.
using CudaDevice = int;
enum Attribute {
    clock_khz = 13,
    multiprocessors = 16,
    memory_clock_khz = 36,
    bus_bits = 37,
    major_capability = 75,
    minor_capability = 76,
    memory_pools = 115,
};

// Returns how many multiply-adds in f32 a multiprocessor of this compute capability starts in a cycle, by the table in
// "Arithmetic Instructions" of the CUDA C++ Programming Guide.
int fma_units(int major, int minor) {
    return major == 8 && minor == 0 ? 64 : 128;
}

// The functions of the driver, which are looked up when the first object is made.
struct Cuda {
    int (*device_count)(int *);
    int (*device)(CudaDevice *, int);
    int (*name)(char *, int, CudaDevice);
    int (*memory)(size_t *, CudaDevice);
    int (*attribute)(int *, Attribute, CudaDevice);
    int (*primary_context)(void **, CudaDevice);
    int (*current_context)(void **);
    int (*device_of_current)(CudaDevice *);
    int (*push_context)(void *);
    int (*pop_context)(void **);
    // Drivers before CUDA 11.2 lack these two, which then are null.
    int (*allocate_in_stream)(uint64_t *, size_t, void *);
    int (*free_in_stream)(uint64_t, void *);

    static void check(int code, const char *call) {
        if (code != 0) {
            throw DeviceError(std::string("CUDA: ") + call + " failed with error " + std::to_string(code));
        }
    }

    // Loads the driver's library so that its functions are visible in the whole process. Halide's runtime looks for
    // them there first, and otherwise in libcuda.so, which a machine that runs CUDA may lack.
    Cuda() {
        void *library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_GLOBAL);
        if (library == nullptr) {
            throw DeviceError("there is no CUDA device: the driver's library, libcuda.so.1, is not installed");
        }
        const auto find = [&](auto &function, const char *symbol) {
            function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(find_symbol(library, symbol));
        };
        int (*init)(unsigned) = nullptr;
        find(init, "cuInit");
        find(device_count, "cuDeviceGetCount");
        find(device, "cuDeviceGet");
        find(name, "cuDeviceGetName");
        find(memory, "cuDeviceTotalMem_v2");
        find(attribute, "cuDeviceGetAttribute");
        find(primary_context, "cuDevicePrimaryCtxRetain");
        find(current_context, "cuCtxGetCurrent");
        find(device_of_current, "cuCtxGetDevice");
        find(push_context, "cuCtxPushCurrent_v2");
        find(pop_context, "cuCtxPopCurrent_v2");
        allocate_in_stream = reinterpret_cast<decltype(allocate_in_stream)>(dlsym(library, "cuMemAllocAsync"));
        free_in_stream = reinterpret_cast<decltype(free_in_stream)>(dlsym(library, "cuMemFreeAsync"));
        int count = 0;
        if (init(0) != 0 || device_count(&count) != 0 || count == 0) {
            throw DeviceError("there is no CUDA device: the driver is installed, but finds none");
        }
        // Halide 21 limits kernels to 64 registers a thread unless this variable says otherwise. 255 is the most that a
        // thread can have.
        setenv("HL_CUDA_JIT_MAX_REGISTERS", "255", 0);
    }
};

// Returns the driver. If there is none, the constructor throws, and the next call tries again.
const Cuda &cuda() {
    static const Cuda driver;
    return driver;
}

// Returns the device of the thread's current context, or the first device if the thread has no context.
CudaDevice device_in_use() {
    void *current = nullptr;
    CudaDevice device = 0;
    if (cuda().current_context(&current) == 0 && current != nullptr) {
        Cuda::check(cuda().device_of_current(&device), "cuCtxGetDevice");
    } else {
        Cuda::check(cuda().device(&device, 0), "cuDeviceGet");
    }
    return device;
}

// Makes a context the current one as long as the object lives.
class InContext {
public:
    explicit InContext(void *context) : code_(cuda().push_context(context)) {
    }
    ~InContext() {
        void *popped = nullptr;
        if (code_ == 0) {
            cuda().pop_context(&popped);
        }
    }
    InContext(const InContext &) = delete;
    InContext &operator=(const InContext &) = delete;

private:
    const int code_;
};

}  // namespace

DeviceInfo describe_cuda() {
    const CudaDevice device = device_in_use();
    std::array<char, 256> name{};
    size_t memory = 0;
    const auto attribute = [&](Attribute which) {
        int value = 0;
        Cuda::check(cuda().attribute(&value, which, device), "cuDeviceGetAttribute");
        return value;
    };
    Cuda::check(cuda().name(name.data(), name.size() - 1, device), "cuDeviceGetName");
    Cuda::check(cuda().memory(&memory, device), "cuDeviceTotalMem");
    const int major = attribute(major_capability), minor = attribute(minor_capability);
    if (major < 8) {
        throw DeviceError(std::string("CUDA: ") + name.data() + " has compute capability " + std::to_string(major) +
                          "." + std::to_string(minor) + ", and 8.0 is needed");
    }
    const int processors = attribute(multiprocessors);
    const double clock = 1e3 * attribute(clock_khz);
    const double transfers = 2e3 * attribute(memory_clock_khz);  // transfers a second, two in a cycle
    return {Device::cuda,
            name.data(),
            static_cast<int64_t>(memory),
            processors,
            clock,
            2 * clock * processors * fma_units(major, minor),
            transfers * attribute(bus_bits) / 8};
}

void *cuda_context() {
    void *context = nullptr;
    if (cuda().current_context(&context) == 0 && context != nullptr) {
        return context;
    }
    // The primary context is kept to the end of the process, as the CUDA runtime keeps it.
    static void *const primary = [] {
        CudaDevice device = 0;
        void *retained = nullptr;
        Cuda::check(cuda().device(&device, 0), "cuDeviceGet");
        Cuda::check(cuda().primary_context(&retained, device), "cuDevicePrimaryCtxRetain");
        return retained;
    }();
    return primary;
}

uint64_t cuda_allocate_in_stream(const Stream &stream, size_t bytes) {
    constexpr int out_of_memory = 2;
    const InContext context(stream.context);
    CudaDevice device = 0;
    int has_pools = 0;
    if (cuda().allocate_in_stream == nullptr || cuda().device_of_current(&device) != 0 ||
        cuda().attribute(&has_pools, memory_pools, device) != 0 || has_pools == 0) {
        return 0;
    }
    uint64_t memory = 0;
    const int code = cuda().allocate_in_stream(&memory, bytes, stream.handle);
    if (code == out_of_memory) {
        throw OutOfMemory("out of memory on the GPU: " + std::to_string(bytes) + " bytes");
    }
    Cuda::check(code, "cuMemAllocAsync");
    return memory;
}

void cuda_free_in_stream(const Stream &stream, uint64_t memory) {
    const InContext context(stream.context);
    cuda().free_in_stream(memory, stream.handle);
}

}  // namespace unstride
