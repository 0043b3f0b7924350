#include <cudnn.h>

#include <algorithm>
#include <array>
#include <vector>

#include "runner.h"

namespace unstride::tools {
namespace {

void check(cudnnStatus_t status) {
    if (status != CUDNN_STATUS_SUCCESS) {
        throw std::runtime_error(std::string("cuDNN: ") + cudnnGetErrorString(status));
    }
}

template<typename T, cudnnStatus_t (*create)(T *), cudnnStatus_t (*destroy)(T)>
using OwnedByCudnn = Owned<T, cudnnStatus_t, create, destroy, check>;
using Handle = OwnedByCudnn<cudnnHandle_t, cudnnCreate, cudnnDestroy>;
using TensorDescriptor =
    OwnedByCudnn<cudnnTensorDescriptor_t, cudnnCreateTensorDescriptor, cudnnDestroyTensorDescriptor>;
using FilterDescriptor =
    OwnedByCudnn<cudnnFilterDescriptor_t, cudnnCreateFilterDescriptor, cudnnDestroyFilterDescriptor>;
using ConvolutionDescriptor =
    OwnedByCudnn<cudnnConvolutionDescriptor_t, cudnnCreateConvolutionDescriptor, cudnnDestroyConvolutionDescriptor>;

std::vector<int> ints(const Shape &sizes) {
    return {sizes.begin(), sizes.end()};
}

void describe(const TensorDescriptor &descriptor, const Shape &sizes, Layout layout) {
    const std::vector<int> extents = ints(sizes), strides = ints(dense_strides(sizes, layout));
    check(cudnnSetTensorNdDescriptor(descriptor, CUDNN_DATA_FLOAT, 5, extents.data(), strides.data()));
}

std::array<int, 3> three(const Triple &triple) {
    return {static_cast<int>(triple[0]), static_cast<int>(triple[1]), static_cast<int>(triple[2])};
}

class CudnnRunner : public Runner {
public:
    CudnnRunner(const bench::Layer &layer, const ConvTranspose3d &parameters, Layout layout, Tf32 tf32)
        : weight_(static_cast<int64_t>(parameters.weight().size())), bias_(layer.options.out_channels) {
        const ConvTranspose3dOptions &o = layer.options;
        describe(input_, layer.input_size, layout);
        describe(output_, parameters.output_shape(layer.input_size), layout);
        describe(bias_descriptor_, {1, o.out_channels, 1, 1, 1}, layout);

        // The filter of the convolution whose gradient this is has the weights' shape: (its outputs, its inputs /
        // groups, kernel).
        const bool last = layout == Layout::ndhwc;
        const std::vector<int> filter = ints(parameters.weight_shape());
        check(cudnnSetFilterNdDescriptor(filter_, CUDNN_DATA_FLOAT, last ? CUDNN_TENSOR_NHWC : CUDNN_TENSOR_NCHW, 5,
                                         filter.data()));
        std::vector<float> weight = parameters.weight();
        if (last) {  // (its outputs, kernel, its inputs / groups)
            const int64_t taps = o.kernel_size[0] * o.kernel_size[1] * o.kernel_size[2], inputs = filter[1];
            for (int64_t i = 0; i < static_cast<int64_t>(weight.size()); i++) {
                const int64_t tap = i % taps, channel = i / taps % inputs, output = i / taps / inputs;
                weight[static_cast<size_t>((output * taps + tap) * inputs + channel)] =
                    parameters.weight()[static_cast<size_t>(i)];
            }
        }
        tools::check(cudaMemcpy(weight_.get(), weight.data(), sizeof(float) * weight.size(), cudaMemcpyHostToDevice));
        tools::check(cudaMemcpy(bias_.get(), parameters.bias().data(), sizeof(float) * parameters.bias().size(),
                                cudaMemcpyHostToDevice));

        const std::array<int, 3> padding = three(o.padding), stride = three(o.stride), dilation = three(o.dilation);
        check(cudnnSetConvolutionNdDescriptor(convolution_, 3, padding.data(), stride.data(), dilation.data(),
                                              CUDNN_CROSS_CORRELATION, CUDNN_DATA_FLOAT));
        check(cudnnSetConvolutionGroupCount(convolution_, static_cast<int>(o.groups)));
        check(cudnnSetConvolutionMathType(convolution_, tf32 == Tf32::on ? CUDNN_DEFAULT_MATH : CUDNN_FMA_MATH));
        find_algorithm();
    }

    void forward(const float *input, float *output, cudaStream_t stream) override {
        const float one = 1, zero = 0;
        check(cudnnSetStream(handle_, stream));
        check(cudnnConvolutionBackwardData(handle_, &one, filter_, weight_.get(), input_, input, convolution_,
                                           algorithm_.algo, workspace_ ? workspace_->get() : nullptr, algorithm_.memory,
                                           &zero, output_, output));
        check(cudnnAddTensor(handle_, &one, bias_descriptor_, bias_.get(), &one, output_, output));
    }
    std::string algorithm() const override {
        return "algorithm " + std::to_string(algorithm_.algo) +
               (algorithm_.determinism == CUDNN_DETERMINISTIC ? "" : ", not deterministic");
    }
    size_t workspace_bytes() const override {
        return algorithm_.memory;
    }

private:
    void find_algorithm() {
        std::array<cudnnConvolutionBwdDataAlgoPerf_t, CUDNN_CONVOLUTION_BWD_DATA_ALGO_COUNT> found{};
        int count = 0;
        check(cudnnFindConvolutionBackwardDataAlgorithm(handle_, filter_, input_, convolution_, output_,
                                                        static_cast<int>(found.size()), &count, found.data()));
        if (count == 0 || found[0].status != CUDNN_STATUS_SUCCESS) {
            throw std::runtime_error("cuDNN has no algorithm for this layer");
        }
        algorithm_ = found[0];
        check(cudnnSetConvolutionMathType(convolution_, algorithm_.mathType));
        if (algorithm_.memory > 0) {
            workspace_ = std::make_unique<CudaArray>(static_cast<int64_t>(algorithm_.memory / sizeof(float) + 1));
        }
    }

    Handle handle_;
    TensorDescriptor input_, output_, bias_descriptor_;
    FilterDescriptor filter_;
    ConvolutionDescriptor convolution_;
    CudaArray weight_, bias_;
    cudnnConvolutionBwdDataAlgoPerf_t algorithm_{};
    std::unique_ptr<CudaArray> workspace_;
};

}  // namespace

size_t cudnn_version() {
    return cudnnGetVersion();
}

std::unique_ptr<Runner> make_cudnn(const bench::Layer &layer, const ConvTranspose3d &parameters, Layout layout,
                                   Tf32 tf32) {
    return std::make_unique<CudnnRunner>(layer, parameters, layout, tf32);
}

}  // namespace unstride::tools
