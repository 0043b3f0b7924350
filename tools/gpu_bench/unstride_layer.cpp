#include "bench/harness.h"
#include "runner.h"

namespace unstride::tools {
namespace {

class UnstrideRunner : public Runner {
public:
    UnstrideRunner(const bench::Layer &layer, const ConvTranspose3d &parameters, Layout layout,
                   const std::string &variant)
        : convolution_(layer.options), layout_(layout), input_size_(layer.input_size),
          output_size_(convolution_.output_shape(layer.input_size)) {
        convolution_.set_weight(parameters.weight().data(), parameters.weight_shape());
        convolution_.set_bias(parameters.bias().data(), parameters.bias_shape());
        convolution_.set_device(Device::cuda);
        convolution_.set_variant(variant);
    }
    void forward(const float *input, float *output, cudaStream_t stream) override {
        convolution_.forward(dense_view(input, input_size_, layout_), dense_view(output, output_size_, layout_),
                             CudaStream{stream});
    }
    std::string algorithm() const override {
        return bench::variants_of(convolution_.plan(input_size_, layout_));
    }
    size_t workspace_bytes() const override {
        return 0;
    }

private:
    ConvTranspose3d convolution_;
    Layout layout_;
    Shape input_size_, output_size_;
};

}  // namespace

std::unique_ptr<Runner> make_unstride(const bench::Layer &layer, const ConvTranspose3d &parameters, Layout layout,
                                      const std::string &variant) {
    return std::make_unique<UnstrideRunner>(layer, parameters, layout, variant);
}

}  // namespace unstride::tools
