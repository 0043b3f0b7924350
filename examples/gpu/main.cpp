// Upsamples a volume that is on the GPU already, between two calls of cuBLAS, all in one stream; then compares with the
// CPU.

#include <cublas_v2.h>
#include <cuda_runtime.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <stdexcept>
#include <unstride/unstride.h>

using namespace unstride;

void check(cudaError_t error) {
    if (error != cudaSuccess) {
        throw std::runtime_error(cudaGetErrorString(error));
    }
}

void check(cublasStatus_t status) {
    if (status != CUBLAS_STATUS_SUCCESS) {
        throw std::runtime_error(cublasGetStatusString(status));
    }
}

int main() {
    try {
        ConvTranspose3d up(64, 32, /*kernel_size=*/2, /*stride=*/2);
        const Shape input_shape{1, 64, 16, 16, 16}, output_shape = up.output_shape(input_shape);

        Tensor input(input_shape), output(output_shape);
        std::fill_n(input.data(), input.element_count(), 1.f);

        cudaStream_t stream{};
        cublasHandle_t blas{};
        float *device_input = nullptr, *device_output = nullptr;
        check(cudaStreamCreate(&stream));
        check(cublasCreate(&blas));
        check(cublasSetStream(blas, stream));
        check(cudaMalloc(&device_input, sizeof(float) * input.element_count()));
        check(cudaMalloc(&device_output, sizeof(float) * output.element_count()));
        check(cudaMemcpyAsync(device_input, input.data(), sizeof(float) * input.element_count(), cudaMemcpyHostToDevice,
                              stream));

        // Nothing here waits for the GPU.
        const float two = 2, half = 0.5;
        up.set_device(Device::cuda);
        check(cublasSscal(blas, static_cast<int>(input.element_count()), &two, device_input, 1));
        up.forward(dense_view<const float>(device_input, input_shape), dense_view(device_output, output_shape),
                   CudaStream{stream});
        check(cublasSscal(blas, static_cast<int>(output.element_count()), &half, device_output, 1));

        check(cudaMemcpyAsync(output.data(), device_output, sizeof(float) * output.element_count(),
                              cudaMemcpyDeviceToHost, stream));
        check(cudaStreamSynchronize(stream));

        std::for_each_n(input.data(), input.element_count(), [](float &value) { value *= 2; });
        up.set_device(Device::cpu);
        const Tensor expected = up.forward(static_cast<const Tensor &>(input).view());
        float difference = 0;
        for (int64_t i = 0; i < output.element_count(); i++) {
            difference = std::max(difference, std::abs(output.data()[i] - expected.data()[i] / 2));
        }
        std::printf("%s: largest difference from the CPU %g\n", devices().back().name.c_str(), difference);
        check(cudaFree(device_input));
        check(cudaFree(device_output));
        check(cublasDestroy(blas));
        check(cudaStreamDestroy(stream));
        return difference < 1e-5 ? 0 : 1;
    } catch (const std::exception &e) {
        std::fprintf(stderr, "error: %s\n", e.what());
        return 2;
    }
}
