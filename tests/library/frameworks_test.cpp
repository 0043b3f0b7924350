// Layers of other frameworks, by those frameworks' own tests. Those of two dimensions also run with a depth of one.

#include <algorithm>
#include <iterator>
#include <limits>

#include "support/catch_compat.h"
#include "support/errors.h"
#include "support/harness.h"

namespace unstride::tests {
namespace {

constexpr int64_t huge = std::numeric_limits<int64_t>::max();

using Pads = std::array<int64_t, 6>;

Shape numbers(int64_t length) {
    return {length};
}

Shape numbers(const Pair &plane) {
    return {plane.height, plane.width};
}

Shape numbers(const Triple &volume) {
    return {volume.depth, volume.height, volume.width};
}

Shape sizes(int64_t batch, int64_t channels, Shape space) {
    space.insert(space.begin(), {batch, channels});
    return space;
}

// What a layer of these weights makes of this input, item after item and channel after channel, on every variant.
template<typename Extents>
void check_values(const ConvTransposeOptions<Extents> &options, const Extents &input_size,
                  const std::vector<float> &values, const std::vector<float> &weight, const Extents &output_size,
                  const std::vector<float> &expected) {
    BasicConvTranspose<Extents> layer(options);
    layer.set_weight(weight.data(), layer.weight_shape());
    const int64_t batch =
        static_cast<int64_t>(values.size()) / (options.in_channels * element_count(numbers(input_size)));
    const Shape input = sizes(batch, options.in_channels, numbers(input_size));
    REQUIRE(layer.output_shape(input) == sizes(batch, options.out_channels, numbers(output_size)));
    for (Layout layout : layouts) {
        Tensor tensor(input, layout, layer.spatial());
        copy_into(tensor.view(), values);
        for (const Variant &variant : variants_here(layout)) {
            if (takes(variant, layer.ConvTranspose::options())) {
                INFO(variant.name);
                layer.set_variant(variant.name);
                CHECK(dense_copy(layer.forward(tensor.view())) == expected);
            }
        }
    }
}

Triple deep(const Pair &plane, int64_t depth) {
    return {depth, plane.height, plane.width};
}

// A node in two dimensions, and the same with a depth of one.
void check_node(const OnnxConvTranspose2d &plane, int64_t channels, int64_t out_channels,
                const std::vector<float> &values, const std::vector<float> &weight, const Pair &output_size,
                const std::vector<float> &expected, const Pair &input_size = 3) {
    OnnxConvTranspose volume{plane.auto_pad,
                             deep(plane.dilations, 1),
                             plane.group,
                             deep(plane.kernel_shape, 1),
                             deep(plane.output_padding, 0),
                             std::nullopt,
                             std::nullopt,
                             deep(plane.strides, 1)};
    if (plane.output_shape) {
        volume.output_shape = deep(*plane.output_shape, 1);
    }
    if (plane.pads) {
        const auto &p = *plane.pads;
        volume.pads = Pads{0, p[0], p[1], 0, p[2], p[3]};
    }
    check_values(from_onnx(plane, channels, out_channels, false, input_size), input_size, values, weight, output_size,
                 expected);
    check_values(from_onnx(volume, channels, out_channels, false, deep(input_size, 1)), deep(input_size, 1), values,
                 weight, deep(output_size, 1), expected);
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
    const auto check = [](OnnxConvTranspose2d attributes, const Pair &output_size, const std::vector<float> &channel) {
        attributes.kernel_shape = 3;
        check_node(attributes, 1, 2, to_eight, ones(18), output_size, twice(channel));
    };
    OnnxConvTranspose2d plain, strided, pads, same;
    check(plain, 5, {0, 1, 3, 3, 2, 3, 8, 15, 12, 7, 9, 21, 36, 27, 15, 9, 20, 33, 24, 13, 6, 13, 21, 15, 8});

    strided.strides = {3, 2};
    const std::vector<float> enlarged{0,  0, 1, 1, 3, 2, 2,  0, 0,  0, 1,  1, 3,  2, 2, 0, 0, 0, 1,  1,
                                      3,  2, 2, 0, 3, 3, 7,  4, 9,  5, 5,  0, 3,  3, 7, 4, 9, 5, 5,  0,
                                      3,  3, 7, 4, 9, 5, 5,  0, 6,  6, 13, 7, 15, 8, 8, 0, 6, 6, 13, 7,
                                      15, 8, 8, 0, 6, 6, 13, 7, 15, 8, 8,  0, 0,  0, 0, 0, 0, 0, 0,  0};
    strided.output_shape = {10, 8};
    check(strided, {10, 8}, enlarged);
    strided.output_padding = 1;
    check(strided, {10, 8}, enlarged);
    strided.output_shape.reset();
    check(strided, {10, 8}, enlarged);

    pads.strides = {3, 2};
    pads.pads = {1, 2, 1, 2};
    check(pads, {7, 3}, {1, 1, 3, 1, 1, 3, 7, 4, 9, 7, 4, 9, 7, 4, 9, 13, 7, 15, 13, 7, 15});

    same.strides = 2;
    same.auto_pad = "SAME_UPPER";
    check(same, 6, {0, 0, 1, 1, 3, 2, 0, 0, 1,  1,  3,  2,  3, 3, 8,  5, 12, 7,
                    3, 3, 7, 4, 9, 5, 9, 9, 20, 11, 24, 13, 6, 6, 13, 7, 15, 8});

    OnnxConvTranspose2d dilated, grouped, flat;
    dilated.kernel_shape = 2;
    dilated.dilations = 2;
    check_node(dilated, 1, 1, {3, 8, 1, 9, 5, 7, 3, 2, 6}, {7, 2, 1, 9}, 5,
               {21, 56, 13, 16, 2, 63, 35, 67, 10, 14, 24, 22, 76, 76, 21, 9, 5, 88, 45, 63, 3, 2, 33, 18, 54});

    grouped.kernel_shape = 3;
    grouped.group = 2;
    std::vector<float> two_channels(18);
    std::generate(two_channels.begin(), two_channels.end(), [i = 0.f]() mutable { return i++; });
    check_node(grouped, 2, 2, two_channels, ones(18), 5,
               {0, 1,  3,  3,  2,  3,  8,  15, 12, 7,  9,  21, 36,  27, 15, 9,  20, 33, 24, 13, 6,  13, 21, 15, 8,
                9, 19, 30, 21, 11, 21, 44, 69, 48, 25, 36, 75, 117, 81, 42, 27, 56, 87, 60, 31, 15, 31, 48, 33, 17});

    std::vector<float> three_images = two_channels, of_images;
    for (const float first : {18.f, 9.f, 0.f, 9.f}) {
        std::transform(to_eight.begin(), to_eight.end(), std::back_inserter(three_images),
                       [&](float v) { return first + v; });
    }
    const std::vector<float> of_eight{0,  1,  3, 3,  2,  3,  8,  15, 12, 7,  9,  21, 36,
                                      27, 15, 9, 20, 33, 24, 13, 6,  13, 21, 15, 8},
        terms{1, 2, 3, 2, 1};
    for (const float first : {0.f, 9.f, 18.f, 9.f, 0.f, 9.f}) {
        for (size_t i = 0; i < of_eight.size(); i++) {
            of_images.push_back(of_eight[i] + first * terms[i / 5] * terms[i % 5]);
        }
    }
    check_node(grouped, 2, 2, three_images, ones(18), 5, of_images);

    OnnxConvTranspose1d line;
    line.kernel_shape = 3;
    check_values<int64_t>(from_onnx(line, 1, 2, false, 3), 3, {0, 1, 2}, ones(6), 5, twice({0, 1, 3, 3, 2}));
    flat.kernel_shape = {1, 3};
    check_node(flat, 1, 2, {0, 1, 2}, ones(6), {1, 5}, twice({0, 1, 3, 3, 2}), {1, 3});
}

// What onnx.reference makes of them, and with NOTSET and VALID ONNX Runtime, too.
TEST_CASE("outputs that no tap reaches, of ONNX", "[frameworks]") {
    const std::vector<float> reached{1, 10, 100, 0, 2, 20, 200, 0, 3, 30, 300}, weight{1, 10, 100};
    const auto check = [&](const char *auto_pad, int64_t output_shape, size_t before) {
        OnnxConvTranspose1d line;
        line.auto_pad = auto_pad;
        line.kernel_shape = 3;
        line.strides = 4;
        line.output_shape = output_shape;
        std::vector<float> expected(before, 0.F);
        expected.insert(expected.end(), reached.begin(), reached.end());
        expected.resize(static_cast<size_t>(output_shape), 0.F);
        check_values<int64_t>(from_onnx(line, 1, 1, false, 3), 3, {1, 2, 3}, weight, output_shape, expected);
    };
    check("NOTSET", 12, 0);
    check("NOTSET", 14, 0);
    check("VALID", 13, 0);
    check("SAME_UPPER", 12, 1);
    check("SAME_UPPER", 14, 2);
    check("SAME_UPPER", 15, 2);
    check("SAME_LOWER", 12, 0);
    check("SAME_LOWER", 14, 1);
    check("SAME_LOWER", 15, 2);
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

    // More outputs than taps reach: where both have them, or by the rule, as the reference implementation has it.
    OnnxConvTranspose beyond;
    beyond.kernel_shape = 3;
    beyond.strides = 4;
    beyond.output_shape = {12, 17, 22};  // 11, 15 and 19 without padding
    CHECK(padding(beyond) == Both{{0, 0, 0}, {-1, -2, -3}});
    beyond.auto_pad = "VALID";
    CHECK(padding(beyond) == Both{{0, 0, 0}, {-1, -2, -3}});
    beyond.auto_pad = "SAME_UPPER";
    CHECK(padding(beyond) == Both{{-1, -1, -2}, {0, -1, -1}});
    beyond.auto_pad = "SAME_LOWER";
    CHECK(padding(beyond) == Both{{0, -1, -1}, {-1, -1, -2}});

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

TEST_CASE("paddings of ONNX in one and two dimensions", "[frameworks]") {
    OnnxConvTranspose1d line;
    const auto of_line = [&] {
        const ConvTranspose1dOptions o = from_onnx(line, 4, 6, true, 5);
        CHECK(o.output_padding == 0);
        return std::pair(o.padding, *o.padding_end);
    };
    using Both = std::pair<int64_t, int64_t>;
    line.kernel_shape = 6;
    line.strides = 3;
    line.output_padding = 2;
    CHECK(of_line() == Both{0, -2});
    line.auto_pad = "SAME_LOWER";  // 18 + 2 - 15 in all
    CHECK(of_line() == Both{3, 0});
    line.auto_pad = "SAME_UPPER";
    CHECK(of_line() == Both{2, 1});
    line.output_shape = 17;  // 18 + 2 - 17
    CHECK(of_line() == Both{1, 0});
    line.output_shape.reset();
    line.auto_pad = "NOTSET";
    line.pads = {4, 1};
    CHECK(of_line() == Both{4, -1});

    OnnxConvTranspose2d plane;
    const auto of_plane = [&] {
        const ConvTranspose2dOptions o = from_onnx(plane, 4, 6, true, {4, 5});
        CHECK(numbers(o.output_padding) == Shape{0, 0});
        return std::pair(numbers(o.padding), numbers(*o.padding_end));
    };
    using BothShapes = std::pair<Shape, Shape>;
    plane.kernel_shape = {4, 5};
    plane.strides = {2, 4};
    plane.output_padding = {1, 3};
    plane.auto_pad = "SAME_LOWER";  // as above
    CHECK(of_plane() == BothShapes{{2, 2}, {0, -1}});
    plane.output_shape = {10, 20};
    CHECK(of_plane() == BothShapes{{1, 2}, {-1, -1}});
    plane.output_shape.reset();
    plane.auto_pad = "NOTSET";
    plane.pads = {1, 2, 0, 9};
    CHECK(of_plane() == BothShapes{{1, 2}, {-1, 6}});

    plane.group = 2;
    plane.dilations = {1, 3};
    const ConvTranspose2dOptions o = from_onnx(plane, 4, 6, true, 9);
    CHECK(Shape{o.in_channels, o.out_channels, o.groups} == Shape{4, 6, 2});
    CHECK(o.bias);
    CHECK(numbers(o.kernel_size) == Shape{4, 5});
    CHECK(numbers(o.stride) == Shape{2, 4});
    CHECK(numbers(o.dilation) == Shape{1, 3});
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
    CHECK(error([](auto &a) { a.auto_pad = "SAME"; }) ==
          "auto_pad must be either NOTSET, SAME_UPPER, SAME_LOWER or VALID, but got SAME");
    CHECK(error([](auto &a) { a.auto_pad = "VALID", a.pads = Pads{}; }) ==
          "The pads attribute cannot be used simultaneously with auto_pad attribute");
    CHECK(error([](auto &a) { a.pads = Pads{0, 0, 0, 0, -1, 0}; }) ==
          "Attribute pads must not contain negative values");
    CHECK(error([](auto &a) { a.output_shape = {3, 3, 0}; }) == "output_shape must be positive, but got (3 x 3 x 0)");
    CHECK(error([](auto &a) {
              a.output_padding = 1;
          }).find("output padding must be smaller than either stride or dilation") == 0);
    CHECK(error([](auto &a) { a.strides = 0; }) == "non-positive stride is not supported");
    CHECK(error([](auto &a) { a.group = 5; }) == "in_channels must be divisible by groups");
    CHECK(error([](auto &a) {
              a.pads = Pads{huge, 0, 0, 0, 0, 0};
          }).find("padding is too large: " + std::to_string(huge)) == 0);
    CHECK(error([](auto &a) {
              a.output_shape = {1, 1, huge};
          }).find("padding_end is too large: " + std::to_string(5 - huge)) == 0);
    CHECK(error([](auto &a) { a.auto_pad = "SAME_LOWER", a.strides = 2; }, huge) == "sizes overflow 64-bit arithmetic");
}

template<typename Extents>
void check_ones_of_tensorflow(const Extents &input, const Extents &same, const Extents &valid) {
    for (const bool is_same : {true, false}) {
        const Extents &output = is_same ? same : valid;
        BasicTensorFlowConvTranspose<Extents> arguments;
        arguments.kernel_size = 3;
        arguments.strides = 2;
        arguments.padding = is_same ? "SAME" : "VALID";
        const Shape space = numbers(output);
        std::vector<float> expected;
        for (int64_t i = 0; i < 2 * element_count(space); i++) {
            int64_t taps = 3, rest = i;
            for (auto size = space.rbegin(); size != space.rend(); ++size) {
                const int64_t at = rest % *size;
                taps *= at % 2 == 0 && at > 0 && at < *size - 1 ? 2 : 1;
                rest /= *size;
            }
            expected.push_back(static_cast<float>(taps));
        }
        check_values(from_tensorflow(arguments, 3, 2, false, input), input, ones(3 * element_count(numbers(input))),
                     ones(3 * 2 * 27), output, expected);
    }
}

// tensorflow/python/kernel_tests/nn_ops/conv3d_transpose_test.py: testConv3DTransposeSame and testConv3DTransposeValid,
// and those of conv2d_transpose_test.py and conv1d_transpose_test.py
TEST_CASE("tests of TensorFlow", "[frameworks]") {
    check_ones_of_tensorflow<Triple>({5, 6, 4}, {10, 12, 8}, {11, 13, 9});
    check_ones_of_tensorflow<Pair>({6, 4}, {12, 8}, {13, 9});
    check_ones_of_tensorflow<int64_t>(4, 8, 9);
}

template<typename Extents>
void check_paddings_of_tensorflow() {
    using Arguments = BasicTensorFlowConvTranspose<Extents>;
    const auto size_and_padding = [](const Arguments &arguments) {
        const ConvTransposeOptions<Extents> o = from_tensorflow(arguments, 4, 6, true, 5);
        const Shape space = numbers(Extents(5)), begin = numbers(o.padding), end = numbers(*o.padding_end);
        const Shape output = BasicConvTranspose<Extents>(o).output_shape(sizes(1, 4, space));
        CHECK(begin == Shape(space.size(), begin[0]));
        CHECK(end == Shape(space.size(), end[0]));
        CHECK(output == sizes(1, 6, Shape(space.size(), output[2])));
        return Shape{output[2], begin[0], end[0]};
    };
    CHECK(size_and_padding({3, 2, "SAME"}) == Shape{10, 0, 1});
    CHECK(size_and_padding({4, 2, "same"}) == Shape{10, 1, 1});
    CHECK(size_and_padding({5, 2, "SAME"}) == Shape{10, 1, 2});
    CHECK(size_and_padding({3, 1, "SAME", 2}) == Shape{5, 2, 2});
    CHECK(size_and_padding({1, 3, "SAME"}) == Shape{15, 0, -2});
    CHECK(size_and_padding({3, 2, "VALID"}) == Shape{11, 0, 0});
    CHECK(size_and_padding({1, 3, "valid"}) == Shape{15, 0, -2});
    CHECK(size_and_padding({3, 2, "SAME", 1, 9}) == Shape{9, 1, 1});
    CHECK(size_and_padding({3, 2, "VALID", 1, 12}) == Shape{12, 0, -1});
}

TEST_CASE("paddings of TensorFlow", "[frameworks]") {
    check_paddings_of_tensorflow<Triple>();
    check_paddings_of_tensorflow<Pair>();
    check_paddings_of_tensorflow<int64_t>();
}

TEST_CASE("arguments that TensorFlow refuses", "[frameworks][errors]") {
    const auto error = [](const TensorFlowConvTranspose &arguments, const Triple &input = 5) {
        return error_of<InvalidArgument>([&] { from_tensorflow(arguments, 4, 6, true, input); });
    };
    CHECK(error({3, 2, "FULL"}) == "padding must be either SAME or VALID, but got FULL");
    CHECK(error({3, 2, "SAME"}, 0) == "input_size must be positive, but got (0 x 0 x 0)");
    CHECK(error({3, 2, "SAME", 1, Triple(10, 10, -1)}) == "output_size must be positive, but got (10 x 10 x -1)");
    CHECK(error({3, 2, "SAME", 1, 11}) ==
          "an output of (11 x 11 x 11) does not fit: its convolution has size (6 x 6 x 6), and the input (5 x 5 x 5)");
    CHECK(error({3, 2, "SAME", 1, 8}).find("an output of (8 x 8 x 8) does not fit") == 0);
    CHECK(error({3, 2, "VALID", 1, 13}).find("an output of (13 x 13 x 13) does not fit") == 0);
    CHECK(error({3, 2, "VALID", 1, 2}) ==
          "an output of (2 x 2 x 2) does not fit: its convolution has size (0 x 0 x 0), and the input (5 x 5 x 5)");
    CHECK(error({3, 2, "SAME", 1, huge}).find("does not fit") != std::string::npos);
    CHECK(error({3, 0, "SAME"}) == "non-positive stride is not supported");
    CHECK(error({3, 2, "SAME"}, huge) == "sizes overflow 64-bit arithmetic");
}

// After tests/benchdnn/inputs/deconv of oneDNN, which give input and output sizes, with fewer channels where they have
// many.
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
        {16, 17, 1, 4, 12, 3, 2, {-1, -3, -2}, 0, "a negative left padding"},
    };
    for (const Problem &p : problems) {
        const auto right = [&](int d) {
            return (p.input[d] - 1) * p.strides[d] + (p.kernel[d] - 1) * (p.dilates[d] + 1) + 1 - p.padding_l[d] -
                   p.output[d];
        };
        const ConvTranspose3dOptions options =
            from_onednn({p.kernel, p.strides, p.dilates, p.padding_l, {right(0), right(1), right(2)}, p.groups},
                        p.inputs, p.outputs, true);
        const Case c(options, {2, p.inputs, p.input[0], p.input[1], p.input[2]}, Data::reals, 1);
        INFO(p.source << ": " << describe(options, c.input_shape));
        CHECK(c.expected.sizes == Shape{2, p.outputs, p.output[0], p.output[1], p.output[2]});
        for (Layout layout : layouts) {
            CHECK(mismatch(forward(c.layer(), c, layout), c) == "none");
        }
    }
}

// shapes_1d and deconv_2d of the same folder
TEST_CASE("shapes of oneDNN in one and two dimensions", "[frameworks]") {
    const auto of_line = [](const OneDnnDeconvolution1d &primitive, int64_t input) {
        const ConvTranspose1dOptions o = from_onednn(primitive, 8, 16, true);
        CHECK(Shape{o.in_channels, o.out_channels, o.groups, o.kernel_size, o.stride, o.dilation} ==
              Shape{8, 16, primitive.groups, primitive.kernel, primitive.strides, primitive.dilates + 1});
        return Shape{o.padding, *o.padding_end, ConvTranspose1d(o).output_shape({8, input})[1]};
    };
    CHECK(of_line({3, 1, 2, 3, 6}, 5) == Shape{3, 6, 2});         // deconv1d:1
    CHECK(of_line({7, 2, 0, 3, 2}, 112) == Shape{3, 2, 224});     // googlenet_v1:conv1/7x7_s2
    CHECK(of_line({7, 2, 0, 0, -1}, 512) == Shape{0, -1, 1030});  // masknet_p1:deconv1
    CHECK(of_line({11, 4, 0, 0, 0, 2}, 55) == Shape{0, 0, 227});  // alexnet:deconv1, with groups

    const ConvTranspose2dOptions plane =
        from_onednn(OneDnnDeconvolution2d{{1, 3}, 1, {0, 2}, {0, 3}, {0, 6}}, 8, 8, true);  // deconv1d:1
    CHECK(numbers(plane.padding) == Shape{0, 3});
    CHECK(numbers(*plane.padding_end) == Shape{0, 6});
    CHECK(ConvTranspose2d(plane).output_shape({2, 8, 1, 5}) == Shape{2, 8, 1, 2});
}

TEST_CASE("parameters that oneDNN refuses", "[frameworks][errors]") {
    const auto error = [](const OneDnnDeconvolution &primitive) {
        return error_of<InvalidArgument>([&] { from_onednn(primitive, 4, 6, true); });
    };
    CHECK(error({3, 1, {0, -1, 0}}) == "dilation (-1) must be non-negative");
    CHECK(error({3, 1, huge}) == "sizes overflow 64-bit arithmetic");
    CHECK(error({3, 1, 0, {0, -1, 0}, 0}) == "no error");
    CHECK(error({3, 1, 0, -huge, 0}).find("padding is too large: " + std::to_string(-huge)) == 0);
    CHECK(error({3, 1, 0, 0, -5}) == "no error");
    CHECK(error({3, 1, 0, 0, -huge}).find("padding_end is too large: " + std::to_string(-huge)) == 0);
}

TEST_CASE("refused parameters in one and two dimensions", "[frameworks][errors]") {
    const auto onnx_line = [](const OnnxConvTranspose1d &a, int64_t input) {
        return error_of<InvalidArgument>([&] { from_onnx(a, 4, 6, true, input); });
    };
    const auto onnx_plane = [](const OnnxConvTranspose2d &a, const Pair &input) {
        return error_of<InvalidArgument>([&] { from_onnx(a, 4, 6, true, input); });
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
        return error_of<InvalidArgument>([&] { from_tensorflow(arguments, 4, 6, true, 5); });
    };
    CHECK(tensorflow(TensorFlowConvTranspose1d{3, 2, "SAME", 1, 11}) ==
          "an output of (1 x 11) does not fit: its convolution has size (1 x 6), and the input (1 x 5)");
    CHECK(tensorflow(TensorFlowConvTranspose2d{3, 2, "SAME", 1, Pair(10, 11)}) ==
          "an output of (10 x 11) does not fit: its convolution has size (5 x 6), and the input (5 x 5)");
    CHECK(tensorflow(TensorFlowConvTranspose2d{3, 2, "VALID", 1, Pair(11, 0)}) ==
          "output_size must be positive, but got (11 x 0)");

    const auto onednn = [](const auto &primitive) {
        return error_of<InvalidArgument>([&] { from_onednn(primitive, 4, 6, true); });
    };
    CHECK(onednn(OneDnnDeconvolution1d{3, 1, -1}) == "dilation (-1) must be non-negative");
}

TEST_CASE("arguments in braces are a layer of three dimensions", "[frameworks]") {
    const ConvTranspose3dOptions onnx = from_onnx({}, 4, 6, true, 5),
                                 tensorflow = from_tensorflow({3, 2}, 4, 6, true, 5),
                                 onednn = from_onednn({3, 2}, 4, 6, true);
    CHECK(numbers(onnx.kernel_size) == Shape{1, 1, 1});
    CHECK(numbers(tensorflow.stride) == Shape{2, 2, 2});
    CHECK(numbers(onednn.kernel_size) == Shape{3, 3, 3});
}

}  // namespace
}  // namespace unstride::tests
