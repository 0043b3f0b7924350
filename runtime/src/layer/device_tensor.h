#ifndef UNSTRIDE_RUNTIME_LAYER_DEVICE_TENSOR_H
#define UNSTRIDE_RUNTIME_LAYER_DEVICE_TENSOR_H

#include "array/device_array.h"
#include "unstride/device.h"

namespace unstride {

struct DeviceTensor::State {
    Device device;
    Shape sizes;
    Layout layout;
    int spatial;
    DType dtype;
    DeviceArray array;
};

}  // namespace unstride

#endif
