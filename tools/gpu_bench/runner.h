#ifndef UNSTRIDE_TOOLS_RUNNER_H
#define UNSTRIDE_TOOLS_RUNNER_H

#include <cuda_runtime.h>

#include <memory>
#include <stdexcept>
#include <string>

#include "bench/layers.h"

namespace unstride::tools {

inline void check(cudaError_t error) {
    if (error != cudaSuccess) {
        throw std::runtime_error(cudaGetErrorString(error));
    }
}

// A handle of CUDA's or cuDNN's, made and destroyed by these functions.
template<typename T, typename Status, Status (*create)(T *), Status (*destroy)(T), void (*check_status)(Status)>
class Owned {
public:
    Owned() {
        check_status(create(&value_));
    }
    ~Owned() {
        destroy(value_);
    }
    Owned(const Owned &) = delete;
    Owned &operator=(const Owned &) = delete;
    operator T() const {  // NOLINT(google-explicit-constructor)
        return value_;
    }

private:
    T value_{};
};
using Event = Owned<cudaEvent_t, cudaError_t, cudaEventCreate, cudaEventDestroy, check>;
using Stream = Owned<cudaStream_t, cudaError_t, cudaStreamCreate, cudaStreamDestroy, check>;

// Floats in the GPU's memory.
class CudaArray {
public:
    explicit CudaArray(int64_t count) {
        check(cudaMalloc(&data_, sizeof(float) * static_cast<size_t>(count)));
    }
    ~CudaArray() {
        cudaFree(data_);
    }
    CudaArray(const CudaArray &) = delete;
    CudaArray &operator=(const CudaArray &) = delete;
    float *get() const {
        return static_cast<float *>(data_);
    }

private:
    void *data_ = nullptr;
};

// A layer in one library, with weights and bias in place.
class Runner {
public:
    virtual ~Runner() = default;
    // Queues a forward of dense arrays in the GPU's memory.
    virtual void forward(const float *input, float *output, cudaStream_t stream) = 0;
    virtual std::string algorithm() const = 0;
    virtual size_t workspace_bytes() const = 0;
};

// Unstride, with a variant, or with the planner's choice if the name is empty.
std::unique_ptr<Runner> make_unstride(const bench::Layer &layer, const ConvTranspose3d &parameters, Layout layout,
                                      const std::string &variant);

size_t cudnn_version();

// Whether cuDNN may round inputs and weights of f32 to TF32, which is faster.
enum class Tf32 { off, on };

// cuDNN's fastest algorithm for the gradient of a convolution, and its addition of a bias. Throws std::runtime_error
// where it has none.
std::unique_ptr<Runner> make_cudnn(const bench::Layer &layer, const ConvTranspose3d &parameters, Layout layout,
                                   Tf32 tf32);

}  // namespace unstride::tools

#endif
