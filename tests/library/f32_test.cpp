// A program that links unstride::f32 alone.

#include <cmath>
#include <string>
#include <vector>

#include "support/bias.h"
#include "support/catch_compat.h"
#include "support/errors.h"
#include "unstride/unstride.h"

namespace unstride::tests {
namespace {

ConvTranspose3d sum_of_two_channels() {
    ConvTranspose3d layer(2, 1, 1, 1, 0, 0, 1, without_bias);
    const std::vector<float> ones{1, 1};
    layer.set_weight(ones.data(), layer.weight_shape());
    return layer;
}

TEST_CASE("a program with the kernels for f32 computes f32", "[f32]") {
    for (Layout layout : {Layout::ncdhw, Layout::ndhwc}) {
        Tensor input({1, 2, 1, 1, 3}, layout);
        for (int64_t i = 0; i < input.element_count(); i++) {
            input.data()[i] = 3;
        }
        ConvTranspose3d layer = sum_of_two_channels();
        layer.set_activation(Activation::sigmoid());
        const Tensor output = layer.forward(input.view());
        for (int64_t i = 0; i < output.element_count(); i++) {
            CHECK(std::abs(output.data()[i] - 1 / (1 + std::exp(-6.0))) < 1e-6);
        }
    }
}

TEST_CASE("a program with the kernels for f32 has no others", "[f32]") {
    CHECK(!variants().empty());
    for (const Variant &v : variants()) {
        CHECK(to_string(v.types) == "f32");
    }
}

TEST_CASE("a type without kernels is an error that names the library with all types", "[f32]") {
    const Types others[] = {DType::f64, DType::f16, DType::bf16, {DType::f16, DType::f32}, {DType::bf16, DType::f32}};
    for (const Types &types : others) {
        const Tensor input({1, 2, 1, 1, 3}, Layout::ncdhw, 3, types.input);
        Tensor output({1, 1, 1, 1, 3}, Layout::ncdhw, 3, types.output);
        const ConvTranspose3d layer = sum_of_two_channels();
        const std::string expected = "this program has no kernel for layout ncdhw and type " + to_string(types) +
                                     ": it links unstride::f32, and unstride::unstride has those for all types";
        CHECK(error_of<InvalidArgument>([&] { layer.forward(input.view<void>(), output.view<void>()); }) == expected);
        CHECK(error_of<InvalidArgument>([&] { layer.plan(input.sizes(), Layout::ncdhw, {}, types); }) == expected);
    }
}

TEST_CASE("a device without kernels is an error that names their library", "[f32]") {
    CHECK(error_of<DeviceError>([] { device_info(Device::cuda); }) ==
          "this program has no kernels for cuda: link unstride::cuda");
    CHECK(error_of<DeviceError>([] { device_info(Device::opencl); }) ==
          "this program has no kernels for opencl: link unstride::opencl");
}

}  // namespace
}  // namespace unstride::tests
