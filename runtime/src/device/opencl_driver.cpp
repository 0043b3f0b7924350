#include <HalideRuntimeOpenCL.h>
#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "device/driver.h"
#include "device/kernel_call.h"
#include "unstride/error.h"

namespace unstride {
namespace {

// These are declarations of CL/cl.h, which is not there on all machines that build this library.
using Handle = void *;
constexpr uint64_t any_type = 0xFFFFFFFF;
enum Property : uint32_t {
    compute_units = 0x1002,
    clock_mhz = 0x100C,
    memory_bytes = 0x101F,
    device_name = 0x102B,
};

struct OpenCl {
    Handle device = nullptr;
    int (*info)(Handle, uint32_t, size_t, void *, size_t *);

    // Finds the device that Halide's runtime uses, which is the one of the first platform with the most compute units.
    // Then calls that runtime, so that it loads its functions here, as it must not do that in several threads at once.
    OpenCl() {
        void *library = dlopen("libOpenCL.so.1", RTLD_NOW | RTLD_GLOBAL);
        if (library == nullptr) {
            throw DeviceError("there is no OpenCL device: the loader's library, libOpenCL.so.1, is not installed");
        }
        const auto platforms =
            reinterpret_cast<int (*)(uint32_t, Handle *, uint32_t *)>(find_symbol(library, "clGetPlatformIDs"));
        const auto devices = reinterpret_cast<int (*)(Handle, uint64_t, uint32_t, Handle *, uint32_t *)>(
            find_symbol(library, "clGetDeviceIDs"));
        info = reinterpret_cast<decltype(info)>(find_symbol(library, "clGetDeviceInfo"));
        Handle platform = nullptr;
        std::array<Handle, 16> found{};
        uint32_t count = 0;
        if (platforms(1, &platform, nullptr) != 0 ||
            devices(platform, any_type, found.size(), found.data(), &count) != 0 || count == 0) {
            throw DeviceError("there is no OpenCL device: the loader is installed, but finds none");
        }
        const auto units = [&](Handle of) { return get<uint32_t>(compute_units, of); };
        device = *std::max_element(found.begin(), found.begin() + std::min<size_t>(count, found.size()),
                                   [&](Handle a, Handle b) { return units(a) < units(b); });
        KernelCall call(Stream{Device::opencl, nullptr, nullptr});
        int major = 0, minor = 0;
        if (halide_opencl_device_interface()->compute_capability(call.context(), &major, &minor) != 0) {
            throw DeviceError("there is no OpenCL device that Halide's runtime can use");
        }
    }

    template<typename T>
    T get(Property property, Handle of) const {
        T value{};
        if (info(of, property, sizeof(value), &value, nullptr) != 0) {
            throw DeviceError("OpenCL: clGetDeviceInfo failed");
        }
        return value;
    }
};

}  // namespace

DeviceInfo describe_opencl() {
    // If there is no device, the constructor throws, and the next call tries again.
    static const OpenCl driver;
    auto *const device = driver.device;
    return {Device::opencl,
            driver.get<std::array<char, 256>>(device_name, device).data(),
            static_cast<int64_t>(driver.get<uint64_t>(memory_bytes, device)),
            static_cast<int>(driver.get<uint32_t>(compute_units, device)),
            1e6 * driver.get<uint32_t>(clock_mhz, device),
            0,
            0};
}

}  // namespace unstride
