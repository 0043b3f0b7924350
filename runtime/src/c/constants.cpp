#include "c/constants.h"

#include <string>

namespace unstride::c {

DType dtype_from(const char *name, unstride_dtype dtype) {
    switch (dtype) {
    case UNSTRIDE_F32:
        return DType::f32;
    case UNSTRIDE_F64:
        return DType::f64;
    case UNSTRIDE_F16:
        return DType::f16;
    case UNSTRIDE_BF16:
        return DType::bf16;
    default:
        throw InvalidArgument(std::string(name) + " has type " + std::to_string(dtype) +
                              ", which is none of UNSTRIDE_F32, UNSTRIDE_F64, UNSTRIDE_F16 and UNSTRIDE_BF16");
    }
}

unstride_dtype to_c(DType dtype) {
    switch (dtype) {
    case DType::f64:
        return UNSTRIDE_F64;
    case DType::f16:
        return UNSTRIDE_F16;
    case DType::bf16:
        return UNSTRIDE_BF16;
    case DType::f32:
        break;
    }
    return UNSTRIDE_F32;
}

Device device_from(unstride_device device) {
    switch (device) {
    case UNSTRIDE_CPU:
        return Device::cpu;
    case UNSTRIDE_CUDA:
        return Device::cuda;
    case UNSTRIDE_OPENCL:
        return Device::opencl;
    default:
        throw InvalidArgument("device is " + std::to_string(device) +
                              ", which is none of UNSTRIDE_CPU, UNSTRIDE_CUDA and UNSTRIDE_OPENCL");
    }
}

unstride_device to_c(Device device) {
    switch (device) {
    case Device::cuda:
        return UNSTRIDE_CUDA;
    case Device::opencl:
        return UNSTRIDE_OPENCL;
    case Device::cpu:
        break;
    }
    return UNSTRIDE_CPU;
}

}  // namespace unstride::c
