// What holds for layers of ONNX, TensorFlow and oneDNN alike; each also has a file of its own.

#include "support/catch_compat.h"
#include "support/errors.h"
#include "support/framework_layers.h"

namespace unstride::tests {
namespace {

TEST_CASE("refused parameters in one and two dimensions", "[frameworks][errors]") {
    const auto onnx_line = [](const OnnxConvTranspose1d &a, int64_t input) {
        return error_of<InvalidArgument>([&] { from_onnx(a, 4, 6, with_bias, input); });
    };
    const auto onnx_plane = [](const OnnxConvTranspose2d &a, const Pair &input) {
        return error_of<InvalidArgument>([&] { from_onnx(a, 4, 6, with_bias, input); });
    };
    CHECK(onnx_line({}, 0) == "input_size must be positive, but got (1 x 0)");
    CHECK(onnx_plane({}, {3, 0}) == "input_size must be positive, but got (3 x 0)");
    CHECK(onnx_plane({"NOTSET", 1, 1, 3, 0, Pair(6, 0)}, 3) == "output_shape must be positive, but got (6 x 0)");
    CHECK(onnx_plane({"NOTSET", 1, 1, 3, 1}, 3)
              .find("but got output_padding_height: 1 output_padding_width: 1 stride_height: 1") != std::string::npos);
    CHECK(onnx_line({"NOTSET", 1, 1, 3, 0, std::nullopt, {{0, -1}}}, 3) ==
          "Attribute pads must not contain negative values");
    CHECK(onnx_line({"NOTSET", 1, 1, 0}, 3) ==
          "kernel size should be greater than zero, but got kernel_height: 1 kernel_width: 0");

    const auto tensorflow = [](const auto &arguments) {
        return error_of<InvalidArgument>([&] { from_tensorflow(arguments, 4, 6, with_bias, 5); });
    };
    CHECK(tensorflow(TensorFlowConvTranspose1d{3, 2, "SAME", 1, 11}) ==
          "an output of (1 x 11) does not fit: its convolution has size (1 x 6), and the input (1 x 5)");
    CHECK(tensorflow(TensorFlowConvTranspose2d{3, 2, "SAME", 1, Pair(10, 11)}) ==
          "an output of (10 x 11) does not fit: its convolution has size (5 x 6), and the input (5 x 5)");
    CHECK(tensorflow(TensorFlowConvTranspose2d{3, 2, "VALID", 1, Pair(11, 0)}) ==
          "output_size must be positive, but got (11 x 0)");

    const auto onednn = [](const auto &primitive) {
        return error_of<InvalidArgument>([&] { from_onednn(primitive, 4, 6, with_bias); });
    };
    CHECK(onednn(OneDnnDeconvolution1d{3, 1, -1}) == "dilation (-1) must be non-negative");
}

TEST_CASE("arguments in braces are a layer of three dimensions", "[frameworks]") {
    const ConvTranspose3dOptions onnx = from_onnx({}, 4, 6, with_bias, 5),
                                 tensorflow = from_tensorflow({3, 2}, 4, 6, with_bias, 5),
                                 onednn = from_onednn({3, 2}, 4, 6, with_bias);
    CHECK(numbers(onnx.kernel_size) == Shape{1, 1, 1});
    CHECK(numbers(tensorflow.stride) == Shape{2, 2, 2});
    CHECK(numbers(onednn.kernel_size) == Shape{3, 3, 3});
}

}  // namespace
}  // namespace unstride::tests
