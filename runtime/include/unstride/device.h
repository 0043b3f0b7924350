#ifndef UNSTRIDE_DEVICE_H
#define UNSTRIDE_DEVICE_H

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "unstride/tensor.h"

namespace unstride {

// Where a layer computes. GPUs need kernels that an app links: CMake targets unstride::cuda and unstride::opencl.
enum class Device {
    cpu,
    cuda,
    opencl,
};

const char *to_string(Device device);

struct DeviceInfo {
    Device device;
    std::string name;      // as its driver has it
    int64_t memory_bytes;  // that it has
    int processors;        // multiprocessors of CUDA, compute units of OpenCL, threads that the CPU may use
    double
        clock_hertz;  // the highest, or 0 where a driver does not tell; and what follows from it and other properties:
    double peak_flops;  // operations of multiply-adds in a second, or 0
    double peak_bytes;  // that can be read or written in a second, or 0
};

// Those that layers can compute on in this process, the CPU first. Looks for a GPU only where the app links kernels for
// it, and loads its driver then: libcuda.so.1 or libOpenCL.so.1. With CUDA that is the device of the thread's current
// context, or else the first one.
std::vector<DeviceInfo> devices();

// One of them. Throws DeviceError, which says why, where it is not.
DeviceInfo device_info(Device device);

// A stream of CUDA (a CUstream or cudaStream_t), of the calling thread's current context. Null is that context's
// default stream.
struct CudaStream {
    void *handle = nullptr;
};

// A dense array in a GPU's memory, not initialized, for apps that do not talk to its driver themselves. What is done
// with it is queued, in order, in the default stream of the context that was current when it was made, which has to
// outlive it, or in that of OpenCL. All but the accessors throw DeviceError, OutOfMemory or KernelError, and
// InvalidArgument for what does not fit together.
class DeviceTensor {
public:
    // Sizes as in Tensor, of at most 2^31 - 1 elements.
    DeviceTensor(Device device, const Shape &sizes, Layout layout = Layout::ncdhw, int spatial = 3,
                 DType dtype = DType::f32);
    ~DeviceTensor();
    DeviceTensor(DeviceTensor &&) noexcept;
    DeviceTensor &operator=(DeviceTensor &&) noexcept;

    // Copies of a tensor of the same sizes, layout, dimensions of space and type. `download` waits for all that was
    // queued before.
    void upload(const Tensor &from);
    void download(Tensor &to) const;

    // Waits for all that was queued with this or other arrays of the context before.
    void synchronize() const;

    Device device() const;
    const Shape &sizes() const;
    Layout layout() const;
    int spatial() const;
    DType dtype() const;

private:
    friend class ConvTranspose;
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace unstride

#endif
