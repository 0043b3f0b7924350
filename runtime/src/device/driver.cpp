#include "device/driver.h"

#include <dlfcn.h>

#include "unstride/error.h"

namespace unstride {

const char *to_string(Device device) {
    switch (device) {
    case Device::cuda:
        return "cuda";
    case Device::opencl:
        return "opencl";
    case Device::cpu:
        break;
    }
    return "cpu";
}

void *find_symbol(void *library, const char *name) {
    void *symbol = dlsym(library, name);
    if (symbol == nullptr) {
        throw DeviceError(std::string("the driver has no function ") + name);
    }
    return symbol;
}

}  // namespace unstride
