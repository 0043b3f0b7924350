#include "kernels/devices.h"

#include <algorithm>

#include "device/driver.h"
#include "device/machine.h"
#include "kernels/catalog.h"
#include "unstride/error.h"
#include "unstride/variants.h"

namespace unstride {

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
    case Device::cpu:
        break;
    }
    return {Device::cpu, untimed_machine(1).cpu, 0, num_threads(), clock_hertz(), 0, 0};
}

Stream stream_on(Device device, const CudaStream &stream) {
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
        } catch (const DeviceError &) {
            // The device is not here, so that it is not listed.
        }
    }
    return found;
}

}  // namespace unstride
