// Layers of other frameworks, by those frameworks' own tests. Those of two dimensions have a depth of one here.

#include <algorithm>
#include <iterator>
#include <limits>

#include "catch_compat.h"
#include "errors.h"
#include "harness.h"

namespace unstride::tests {
namespace {

constexpr int64_t huge = std::numeric_limits<int64_t>::max();

using Pads = std::array<int64_t, 6>;

Shape numbers(const Triple &t) {
    return {t.depth, t.height, t.width};
}

// What a layer of these weights makes of this input, item after item and channel after channel, on every variant.
void check_values(const ConvTranspose3dOptions &options, const Triple &input_size, const std::vector<float> &values, const std::vector<float> &weight,
                  const Triple &output_size, const std::vector<float> &expected) {
    ConvTranspose3d layer(options);
    layer.set_weight(weight.data(), layer.weight_shape());
    const int64_t batch = static_cast<int64_t>(values.size()) / (options.in_channels * input_size[0] * input_size[1] * input_size[2]);
    const Shape input{batch, options.in_channels, input_size[0], input_size[1], input_size[2]};
    const Shape output{batch, options.out_channels, output_size[0], output_size[1], output_size[2]};
    REQUIRE(layer.output_shape(input) == output);
    for (Layout layout : layouts) {
        Tensor tensor(input, layout);
        copy_into(tensor.view(), values);
        for (const Variant &variant : variants_here(layout)) {
            if (takes(variant, options)) {
                INFO(variant.name);
                layer.set_variant(variant.name);
                CHECK(dense_copy(layer.forward(tensor.view())) == expected);
            }
        }
    }
}

std::vector<float> twice(const std::vector<float> &channel) {
    std::vector<float> result = channel;
    result.insert(result.end(), channel.begin(), channel.end());
    return result;
}

std::vector<float> ones(size_t count) {
    return std::vector<float>(count, 1.f);
}

const std::vector<float> to_eight{0, 1, 2, 3, 4, 5, 6, 7, 8};

// onnx/backend/test/case/node/convtranspose.py
TEST_CASE("node tests of ONNX", "[frameworks]") {
    const auto check = [](OnnxConvTranspose attributes, const Triple &output_size, const std::vector<float> &channel) {
        attributes.kernel_shape = {1, 3, 3};
        check_values(from_onnx(attributes, 1, 2, false, {1, 3, 3}), {1, 3, 3}, to_eight, ones(18), output_size, twice(channel));
    };
    OnnxConvTranspose plain, strided, pads, same;
    check(plain, {1, 5, 5}, {0, 1, 3, 3, 2, 3, 8, 15, 12, 7, 9, 21, 36, 27, 15, 9, 20, 33, 24, 13, 6, 13, 21, 15, 8});

    strided.strides = {1, 3, 2};
    const std::vector<float> enlarged{0, 0, 1, 1, 3, 2, 2, 0, 0, 0, 1, 1, 3, 2, 2, 0, 0, 0, 1, 1, 3, 2, 2, 0, 3, 3, 7, 4, 9, 5, 5, 0, 3, 3, 7, 4, 9, 5, 5, 0,
                                      3, 3, 7, 4, 9, 5, 5, 0, 6, 6, 13, 7, 15, 8, 8, 0, 6, 6, 13, 7, 15, 8, 8, 0, 6, 6, 13, 7, 15, 8, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    strided.output_shape = {1, 10, 8};
    check(strided, {1, 10, 8}, enlarged);
    strided.output_padding = {0, 1, 1};
    check(strided, {1, 10, 8}, enlarged);
    strided.output_shape.reset();
    check(strided, {1, 10, 8}, enlarged);

    pads.strides = {1, 3, 2};
    pads.pads = Pads{0, 1, 2, 0, 1, 2};
    check(pads, {1, 7, 3}, {1, 1, 3, 1, 1, 3, 7, 4, 9, 7, 4, 9, 7, 4, 9, 13, 7, 15, 13, 7, 15});

    same.strides = {1, 2, 2};
    same.auto_pad = "SAME_UPPER";
    check(same, {1, 6, 6}, {0, 0, 1, 1, 3, 2, 0, 0, 1, 1, 3, 2, 3, 3, 8, 5, 12, 7, 3, 3, 7, 4, 9, 5, 9, 9, 20, 11, 24, 13, 6, 6, 13, 7, 15, 8});

    OnnxConvTranspose dilated, grouped, line;
    dilated.kernel_shape = {1, 2, 2};
    dilated.dilations = {1, 2, 2};
    check_values(from_onnx(dilated, 1, 1, false, {1, 3, 3}), {1, 3, 3}, {3, 8, 1, 9, 5, 7, 3, 2, 6}, {7, 2, 1, 9}, {1, 5, 5},
                 {21, 56, 13, 16, 2, 63, 35, 67, 10, 14, 24, 22, 76, 76, 21, 9, 5, 88, 45, 63, 3, 2, 33, 18, 54});

    grouped.kernel_shape = {1, 3, 3};
    grouped.group = 2;
    std::vector<float> two_channels(18);
    std::generate(two_channels.begin(), two_channels.end(), [i = 0.f]() mutable { return i++; });
    check_values(from_onnx(grouped, 2, 2, false, {1, 3, 3}), {1, 3, 3}, two_channels, ones(18), {1, 5, 5},
                 {0, 1, 3, 3, 2, 3, 8, 15, 12, 7, 9, 21, 36, 27, 15, 9, 20, 33, 24, 13, 6, 13, 21, 15, 8,
                  9, 19, 30, 21, 11, 21, 44, 69, 48, 25, 36, 75, 117, 81, 42, 27, 56, 87, 60, 31, 15, 31, 48, 33, 17});

    std::vector<float> three_images = two_channels, of_images;
    for (const float first : {18.f, 9.f, 0.f, 9.f}) {
        std::transform(to_eight.begin(), to_eight.end(), std::back_inserter(three_images), [&](float v) { return first + v; });
    }
    const std::vector<float> of_eight{0, 1, 3, 3, 2, 3, 8, 15, 12, 7, 9, 21, 36, 27, 15, 9, 20, 33, 24, 13, 6, 13, 21, 15, 8}, terms{1, 2, 3, 2, 1};
    for (const float first : {0.f, 9.f, 18.f, 9.f, 0.f, 9.f}) {
        for (size_t i = 0; i < of_eight.size(); i++) {
            of_images.push_back(of_eight[i] + first * terms[i / 5] * terms[i % 5]);
        }
    }
    check_values(from_onnx(grouped, 2, 2, false, {1, 3, 3}), {1, 3, 3}, three_images, ones(18), {1, 5, 5}, of_images);

    line.kernel_shape = {1, 1, 3};
    check_values(from_onnx(line, 1, 2, false, {1, 1, 3}), {1, 1, 3}, {0, 1, 2}, ones(6), {1, 1, 5}, twice({0, 1, 3, 3, 2}));
}

TEST_CASE("paddings of ONNX", "[frameworks]") {
    const Triple input{3, 4, 5};
    const auto padding = [&](const OnnxConvTranspose &attributes) {
        const ConvTranspose3dOptions o = from_onnx(attributes, 4, 6, true, input);
        CHECK(numbers(o.output_padding) == Shape{0, 0, 0});
        return std::pair(numbers(o.padding), numbers(*o.padding_end));
    };
    using Both = std::pair<Shape, Shape>;
    OnnxConvTranspose a;
    a.kernel_shape = {3, 4, 5};
    a.strides = {1, 2, 4};
    CHECK(padding(a) == Both{{0, 0, 0}, {0, 0, 0}});
    a.auto_pad = "VALID";
    a.output_padding = {0, 1, 3};
    CHECK(padding(a) == Both{{0, 0, 0}, {0, -1, -3}});
    a.auto_pad = "SAME_LOWER";  // 3 - 1, 4 + 1 - 2 and 5 + 3 - 4 in all
    CHECK(padding(a) == Both{{1, 2, 2}, {1, 0, -1}});
    a.auto_pad = "SAME_UPPER";
    CHECK(padding(a) == Both{{1, 1, 2}, {1, 1, -1}});
    a.output_shape = {4, 10, 20};  // 1, 1 and 4 in all
    CHECK(padding(a) == Both{{0, 0, 2}, {1, 0, -1}});
    a.auto_pad = "VALID";
    CHECK(padding(a) == Both{{1, 1, 2}, {0, -1, -1}});
    a.auto_pad = "NOTSET";
    a.pads = Pads{9, 9, 9, 9, 9, 9};  // not looked at
    CHECK(padding(a) == Both{{1, 1, 2}, {0, -1, -1}});
    a.output_shape.reset();
    a.pads = Pads{0, 1, 2, 1, 0, 9};
    CHECK(padding(a) == Both{{0, 1, 2}, {1, -1, 6}});

    // Fewer taps than strides: SAME adds nothing at the beginning.
    OnnxConvTranspose sparse;
    sparse.strides = 3;
    sparse.auto_pad = "SAME_UPPER";
    CHECK(padding(sparse) == Both{{0, 0, 0}, {0, 0, 0}});

    const ConvTranspose3dOptions o = from_onnx(a, 4, 6, true, input);
    CHECK(o.in_channels == 4);
    CHECK(o.out_channels == 6);
    CHECK(o.bias);
    CHECK(numbers(o.kernel_size) == Shape{3, 4, 5});
    CHECK(numbers(o.stride) == Shape{1, 2, 4});
}

TEST_CASE("attributes that ONNX refuses", "[frameworks][errors]") {
    const auto error = [](void (*change)(OnnxConvTranspose &), const Triple &input = 3) {
        OnnxConvTranspose a;
        a.kernel_shape = 3;
        change(a);
        return error_of<InvalidArgument>([&] { from_onnx(a, 4, 6, true, input); });
    };
    CHECK(error([](auto &) {}) == "no error");
    CHECK(error([](auto &) {}, {3, 0, 3}) == "input_size must be positive, but got (3 x 0 x 3)");
    CHECK(error([](auto &a) { a.auto_pad = "SAME"; }) == "auto_pad must be either NOTSET, SAME_UPPER, SAME_LOWER or VALID, but got SAME");
    CHECK(error([](auto &a) { a.auto_pad = "VALID", a.pads = Pads{}; }) == "The pads attribute cannot be used simultaneously with auto_pad attribute");
    CHECK(error([](auto &a) { a.pads = Pads{0, 0, 0, 0, -1, 0}; }) == "Attribute pads must not contain negative values");
    CHECK(error([](auto &a) { a.output_shape = {3, 3, 0}; }) == "output_shape must be positive, but got (3 x 3 x 0)");
    CHECK(error([](auto &a) { a.output_shape = {5, 6, 7}; }) ==
          "a negative padding at the beginning is not supported, but the rule gives (0 x 0 x -1) there, and (0 x -1 x -1) at the end");
    CHECK(error([](auto &a) { a.output_padding = 1; }).find("output padding must be smaller than either stride or dilation") == 0);
    CHECK(error([](auto &a) { a.strides = 0; }) == "non-positive stride is not supported");
    CHECK(error([](auto &a) { a.group = 5; }) == "in_channels must be divisible by groups");
    CHECK(error([](auto &a) { a.pads = Pads{huge, 0, 0, 0, 0, 0}; }) == "padding is too large: " + std::to_string(huge));
    CHECK(error([](auto &a) { a.output_shape = {1, 1, huge}; }).find("a negative padding at the beginning") == 0);
    CHECK(error([](auto &a) { a.auto_pad = "SAME_LOWER", a.strides = 2; }, huge) == "sizes overflow 64-bit arithmetic");
}

// tensorflow/python/kernel_tests/nn_ops/conv3d_transpose_test.py: testConv3DTransposeSame and testConv3DTransposeValid
TEST_CASE("tests of TensorFlow", "[frameworks]") {
    for (const bool same : {true, false}) {
        TensorFlowConvTranspose arguments;
        arguments.kernel_size = 3;
        arguments.strides = 2;
        arguments.padding = same ? "SAME" : "VALID";
        const Triple input{5, 6, 4}, output = same ? Triple(10, 12, 8) : Triple(11, 13, 9);
        std::vector<float> expected;
        for (int64_t i = 0; i < 2 * output[0] * output[1] * output[2]; i++) {
            const auto taps = [](int64_t at, int64_t size) { return at % 2 == 0 && at > 0 && at < size - 1 ? 2 : 1; };
            const int64_t x = i % output[2], y = i / output[2] % output[1], z = i / output[2] / output[1] % output[0];
            expected.push_back(3.f * static_cast<float>(taps(z, output[0]) * taps(y, output[1]) * taps(x, output[2])));
        }
        check_values(from_tensorflow(arguments, 3, 2, false, input), input, ones(3 * 5 * 6 * 4), ones(3 * 2 * 27), output, expected);
    }
}

TEST_CASE("paddings of TensorFlow", "[frameworks]") {
    const auto size_and_padding = [](int64_t kernel, int64_t stride, const char *padding, int64_t dilation = 1, std::optional<Triple> output_size = std::nullopt) {
        const ConvTranspose3dOptions o = from_tensorflow({kernel, stride, padding, dilation, output_size}, 4, 6, true, 5);
        return Shape{ConvTranspose3d(o).output_shape({1, 4, 5, 5, 5})[2], o.padding.depth, o.padding_end->depth};
    };
    CHECK(size_and_padding(3, 2, "SAME") == Shape{10, 0, 1});
    CHECK(size_and_padding(4, 2, "same") == Shape{10, 1, 1});
    CHECK(size_and_padding(5, 2, "SAME") == Shape{10, 1, 2});
    CHECK(size_and_padding(3, 1, "SAME", 2) == Shape{5, 2, 2});
    CHECK(size_and_padding(1, 3, "SAME") == Shape{15, 0, -2});
    CHECK(size_and_padding(3, 2, "VALID") == Shape{11, 0, 0});
    CHECK(size_and_padding(1, 3, "valid") == Shape{15, 0, -2});
    CHECK(size_and_padding(3, 2, "SAME", 1, 9) == Shape{9, 1, 1});
    CHECK(size_and_padding(3, 2, "VALID", 1, 12) == Shape{12, 0, -1});
}

TEST_CASE("arguments that TensorFlow refuses", "[frameworks][errors]") {
    const auto error = [](const TensorFlowConvTranspose &arguments, const Triple &input = 5) {
        return error_of<InvalidArgument>([&] { from_tensorflow(arguments, 4, 6, true, input); });
    };
    CHECK(error({3, 2, "FULL"}) == "padding must be either SAME or VALID, but got FULL");
    CHECK(error({3, 2, "SAME"}, 0) == "input_size must be positive, but got (0 x 0 x 0)");
    CHECK(error({3, 2, "SAME", 1, Triple(10, 10, -1)}) == "output_size must be positive, but got (10 x 10 x -1)");
    CHECK(error({3, 2, "SAME", 1, 11}) == "an output of (11 x 11 x 11) does not fit: its convolution has size (6 x 6 x 6), and the input (5 x 5 x 5)");
    CHECK(error({3, 2, "SAME", 1, 8}).find("an output of (8 x 8 x 8) does not fit") == 0);
    CHECK(error({3, 2, "VALID", 1, 13}).find("an output of (13 x 13 x 13) does not fit") == 0);
    CHECK(error({3, 2, "VALID", 1, 2}) == "an output of (2 x 2 x 2) does not fit: its convolution has size (0 x 0 x 0), and the input (5 x 5 x 5)");
    CHECK(error({3, 2, "SAME", 1, huge}).find("does not fit") != std::string::npos);
    CHECK(error({3, 0, "SAME"}) == "non-positive stride is not supported");
    CHECK(error({3, 2, "SAME"}, huge) == "sizes overflow 64-bit arithmetic");
}

// After tests/benchdnn/inputs/deconv of oneDNN, which give input and output sizes, with fewer channels where they have many.
TEST_CASE("shapes of oneDNN", "[frameworks]") {
    struct Problem {
        int64_t inputs, outputs, groups;
        Triple input, output, kernel, strides, padding_l, dilates;
        const char *source;
    };
    const Problem problems[] = {
        {2, 3, 1, 3, 9, 3, 3, 0, 0, "harness_deconv_regression_general_f32"},
        {1, 1, 1, {1, 1, 9}, {1, 1, 80}, {1, 1, 64}, {1, 1, 2}, 0, 0, "the same, kernel 64"},
        {16, 16, 1, 5, 9, 1, 2, 0, 0, "harness_deconv_regression_general_int8, kernel 1 strided"},
        {16, 16, 1, 5, 10, 1, 2, 0, 0, "the same, to the full grid: a negative right padding"},
        {32, 16, 1, {9, 9, 8}, {11, 11, 10}, 3, 1, 0, 0, "shapes_3d, unet_3d:deconv8"},
        {32, 16, 1, {9, 9, 8}, {13, 13, 12}, 3, 1, 0, 1, "shapes_dilated, unet_3d:dilated_deconv8"},
        {3, 16, 1, 4, 9, 3, 2, 0, 0, "shapes_ci, first layer"},
        {3, 17, 1, 4, 8, 3, 2, 1, 0, "shapes_ci, first layer with a tail, more on the left than on the right"},
        {17, 16, 1, 4, 8, 3, 2, 0, 0, "shapes_ci, tail of input channels, more on the right"},
        {16, 17, 1, 3, {3, 5, 4}, {1, 3, 2}, 1, 0, 0, "shapes_ci, tail of output channels"},
        {16, 16, 1, 5, 3, 3, 1, 3, 0, "shapes_ci, padding equal to the kernel"},
        {16, 32, 4, 3, 7, 3, 2, 0, 0, "shapes_ci, groups"},
        {16, 16, 16, 4, 6, 3, 1, 0, 0, "shapes_ci, depthwise"},
        {17, 17, 17, 4, 12, 3, 2, 0, 0, "shapes_ci, depthwise with a tail, a negative right padding"},
    };
    for (const Problem &p : problems) {
        const auto right = [&](int d) {
            return (p.input[d] - 1) * p.strides[d] + (p.kernel[d] - 1) * (p.dilates[d] + 1) + 1 - p.padding_l[d] - p.output[d];
        };
        const ConvTranspose3dOptions options =
            from_onednn({p.kernel, p.strides, p.dilates, p.padding_l, {right(0), right(1), right(2)}, p.groups}, p.inputs, p.outputs, true);
        const Case c(options, {2, p.inputs, p.input[0], p.input[1], p.input[2]}, Data::reals, 1);
        INFO(p.source << ": " << describe(options, c.input_shape));
        CHECK(c.expected.sizes == Shape{2, p.outputs, p.output[0], p.output[1], p.output[2]});
        for (Layout layout : layouts) {
            CHECK(mismatch(forward(c.layer(), c, layout), c) == "none");
        }
    }
}

TEST_CASE("parameters that oneDNN refuses", "[frameworks][errors]") {
    const auto error = [](const OneDnnDeconvolution &primitive) {
        return error_of<InvalidArgument>([&] { from_onednn(primitive, 4, 6, true); });
    };
    CHECK(error({3, 1, {0, -1, 0}}) == "dilation (-1) must be non-negative");
    CHECK(error({3, 1, huge}) == "sizes overflow 64-bit arithmetic");
    CHECK(error({3, 1, 0, {0, -1, 0}, 0}) ==
          "a negative padding at the beginning is not supported, but the rule gives (0 x -1 x 0) there, and (0 x 0 x 0) at the end");
    CHECK(error({3, 1, 0, 0, -5}) == "no error");
    CHECK(error({3, 1, 0, 0, -huge}) == "padding_end is too large: " + std::to_string(-huge));
}

}  // namespace
}  // namespace unstride::tests
