#include "driver.h"

#include <dlfcn.h>

#include <algorithm>

#include "catalog.h"
#include "machine.h"
#include "queue.h"
#include "unstride/error.h"
#include "unstride/variants.h"

namespace unstride {

const char *to_string(Device device) {
    return device == Device::cuda ? "cuda" : device == Device::opencl ? "opencl" : "cpu";
}

void *find_symbol(void *library, const char *name) {
    void *symbol = dlsym(library, name);
    if (symbol == nullptr) {
        throw DeviceError(std::string("the driver has no function ") + name);
    }
    return symbol;
}

DeviceInfo device_info(Device device) {
    const auto has_kernels = [&](const Entry &entry) { return entry.variant.device == device; };
    if (std::none_of(catalog().begin(), catalog().end(), has_kernels)) {
        const std::string name = to_string(device);
        throw DeviceError("this program has no kernels for " + name + ": link unstride::" + name);
    }
    switch (device) {
    case Device::cuda:
        return describe_cuda();
    case Device::opencl:
        return describe_opencl();
    default:
        return {Device::cpu, untimed_machine(1).cpu, 0, num_threads(), clock_hertz(), 0, 0};
    }
}

Queue queue_of(Device device, const CudaStream &stream) {
    if (device == Device::cuda) {
        return {device, cuda_context(), stream.handle};
    }
    device_info(device);
    return {device, nullptr, nullptr};
}

bool exists(Device device) {
    try {
        device_info(device);
        return true;
    } catch (const DeviceError &) {
        return false;
    }
}

std::vector<DeviceInfo> devices() {
    std::vector<DeviceInfo> found;
    for (const Device device : {Device::cpu, Device::cuda, Device::opencl}) {
        try {
            found.push_back(device_info(device));
        } catch (const DeviceError &) {  // not here
        }
    }
    return found;
}

}  // namespace unstride
