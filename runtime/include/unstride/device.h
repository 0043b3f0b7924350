#ifndef UNSTRIDE_DEVICE_H
#define UNSTRIDE_DEVICE_H

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "unstride/tensor.h"

namespace unstride {

// Where a layer computes. An app that uses a GPU has to link kernels for it: the CMake target unstride::cuda or
// unstride::opencl.
enum class Device {
    cpu,
    cuda,
    opencl,
};

const char *to_string(Device device);

struct DeviceInfo {
    Device device;
    std::string name;      // the model, as the driver of a GPU or the CPU itself tells it
    int64_t memory_bytes;  // size of a GPU's memory; 0 for the CPU
    int processors;        // multiprocessors of CUDA, compute units of OpenCL, threads that layers on the CPU may use
    double clock_hertz;    // highest clock of a GPU, measured clock of the CPU; 0 if unknown

    // Upper bounds that follow from the clock and other properties of the device; 0 if they are unknown.
    double peak_flops;  // operations a second in f32, of which a multiply-add counts as two
    double peak_bytes;  // bytes a second that can be read or written
};

// Returns the devices on which layers can compute in this process, the CPU first. Looks for a GPU only if the app links
// kernels for it, and loads its driver then: libcuda.so.1 or libOpenCL.so.1. The GPU of CUDA is the device of the
// thread's current context, or the first one if the thread has no context.
std::vector<DeviceInfo> devices();

// Describes one of devices(). Throws DeviceError, which says why, for a device that is not among them.
DeviceInfo device_info(Device device);

// A stream of the calling thread's current CUDA context.
struct CudaStream {
    void *handle = nullptr;  // a CUstream or cudaStream_t; null for the context's default stream
};

// A dense array in a GPU's memory, not initialized, for apps that do not talk to the GPU's driver themselves. All
// operations on it are queued in order: with CUDA, in the default stream of the context that was current when the array
// was made, which has to outlive the array; with OpenCL, in the one queue that there is. All members but the accessors
// throw DeviceError, OutOfMemory or KernelError, and InvalidArgument for sizes, tensors or devices that do not fit.
class DeviceTensor {
public:
    // Allocates an array of these sizes, which are as in Tensor, and of at most 2^31 - 1 elements.
    DeviceTensor(Device device, const Shape &sizes, Layout layout = Layout::ncdhw, int spatial = 3,
                 DType dtype = DType::f32);
    ~DeviceTensor();
    DeviceTensor(DeviceTensor &&) noexcept;
    DeviceTensor &operator=(DeviceTensor &&) noexcept;

    // Copy from and to a tensor of the same sizes, layout, number of dimensions of space, and type. `download` first
    // waits for all that was queued before.
    void upload(const Tensor &from);
    void download(Tensor &to) const;

    // Waits for all that was queued before, with this array or with others of its context.
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
