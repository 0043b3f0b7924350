// Layers of ONNX, by its own tests. Those of two dimensions also run with a depth of one.

#include <algorithm>
#include <iterator>
#include <limits>

#include "support/catch_compat.h"
#include "support/errors.h"
#include "support/framework_layers.h"

namespace unstride::tests {
namespace {

constexpr int64_t huge = std::numeric_limits<int64_t>::max();

using Pads = std::array<int64_t, 6>;

Triple deep(const Pair &plane, int64_t depth) {
    return {depth, plane.height, plane.width};
}

// Checks a node in two dimensions, and the same with a depth of one.
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
    check_values(from_onnx(plane, channels, out_channels, without_bias, input_size), input_size, values, weight,
                 output_size, expected);
    check_values(from_onnx(volume, channels, out_channels, without_bias, deep(input_size, 1)), deep(input_size, 1),
                 values, weight, deep(output_size, 1), expected);
}

std::vector<float> twice(const std::vector<float> &channel) {
    std::vector<float> result = channel;
    result.insert(result.end(), channel.begin(), channel.end());
    return result;
}

const std::vector<float> to_eight{0, 1, 2, 3, 4, 5, 6, 7, 8};

// These are the tests of onnx/backend/test/case/node/convtranspose.py.
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
    check_values<int64_t>(from_onnx(line, 1, 2, without_bias, 3), 3, {0, 1, 2}, ones(6), 5, twice({0, 1, 3, 3, 2}));
    flat.kernel_shape = {1, 3};
    check_node(flat, 1, 2, {0, 1, 2}, ones(6), {1, 5}, twice({0, 1, 3, 3, 2}), {1, 3});
}

// The expected outputs are those of onnx.reference, and with NOTSET and VALID of ONNX Runtime, too.
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
        check_values<int64_t>(from_onnx(line, 1, 1, without_bias, 3), 3, {1, 2, 3}, weight, output_shape, expected);
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
        const ConvTranspose3dOptions o = from_onnx(attributes, 4, 6, with_bias, input);
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
    a.auto_pad = "SAME_LOWER";  // The sums of both paddings are 3 - 1, 4 + 1 - 2 and 5 + 3 - 4.
    CHECK(padding(a) == Both{{1, 2, 2}, {1, 0, -1}});
    a.auto_pad = "SAME_UPPER";
    CHECK(padding(a) == Both{{1, 1, 2}, {1, 1, -1}});
    a.output_shape = {4, 10, 20};  // The sums are 1, 1 and 4.
    CHECK(padding(a) == Both{{0, 0, 2}, {1, 0, -1}});
    a.auto_pad = "VALID";
    CHECK(padding(a) == Both{{1, 1, 2}, {0, -1, -1}});
    a.auto_pad = "NOTSET";
    a.pads = Pads{9, 9, 9, 9, 9, 9};  // These are not looked at.
    CHECK(padding(a) == Both{{1, 1, 2}, {0, -1, -1}});
    a.output_shape.reset();
    a.pads = Pads{0, 1, 2, 1, 0, 9};
    CHECK(padding(a) == Both{{0, 1, 2}, {1, -1, 6}});

    // There are more outputs than taps reach. They are added where ONNX's reference implementation adds them.
    OnnxConvTranspose beyond;
    beyond.kernel_shape = 3;
    beyond.strides = 4;
    beyond.output_shape = {12, 17, 22};  // Without padding they are 11, 15 and 19.
    CHECK(padding(beyond) == Both{{0, 0, 0}, {-1, -2, -3}});
    beyond.auto_pad = "VALID";
    CHECK(padding(beyond) == Both{{0, 0, 0}, {-1, -2, -3}});
    beyond.auto_pad = "SAME_UPPER";
    CHECK(padding(beyond) == Both{{-1, -1, -2}, {0, -1, -1}});
    beyond.auto_pad = "SAME_LOWER";
    CHECK(padding(beyond) == Both{{0, -1, -1}, {-1, -1, -2}});

    // Where the stride is larger than the kernel, SAME adds nothing at the beginning.
    OnnxConvTranspose sparse;
    sparse.strides = 3;
    sparse.auto_pad = "SAME_UPPER";
    CHECK(padding(sparse) == Both{{0, 0, 0}, {0, 0, 0}});

    const ConvTranspose3dOptions o = from_onnx(a, 4, 6, with_bias, input);
    CHECK(o.in_channels == 4);
    CHECK(o.out_channels == 6);
    CHECK(o.bias);
    CHECK(numbers(o.kernel_size) == Shape{3, 4, 5});
    CHECK(numbers(o.stride) == Shape{1, 2, 4});
}

TEST_CASE("paddings of ONNX in one and two dimensions", "[frameworks]") {
    OnnxConvTranspose1d line;
    const auto of_line = [&] {
        const ConvTranspose1dOptions o = from_onnx(line, 4, 6, with_bias, 5);
        CHECK(o.output_padding == 0);
        return std::pair(o.padding, *o.padding_end);
    };
    using Both = std::pair<int64_t, int64_t>;
    line.kernel_shape = 6;
    line.strides = 3;
    line.output_padding = 2;
    CHECK(of_line() == Both{0, -2});
    line.auto_pad = "SAME_LOWER";  // The sum is 18 + 2 - 15.
    CHECK(of_line() == Both{3, 0});
    line.auto_pad = "SAME_UPPER";
    CHECK(of_line() == Both{2, 1});
    line.output_shape = 17;  // The sum is 18 + 2 - 17.
    CHECK(of_line() == Both{1, 0});
    line.output_shape.reset();
    line.auto_pad = "NOTSET";
    line.pads = {4, 1};
    CHECK(of_line() == Both{4, -1});

    OnnxConvTranspose2d plane;
    const auto of_plane = [&] {
        const ConvTranspose2dOptions o = from_onnx(plane, 4, 6, with_bias, {4, 5});
        CHECK(numbers(o.output_padding) == Shape{0, 0});
        return std::pair(numbers(o.padding), numbers(*o.padding_end));
    };
    using BothShapes = std::pair<Shape, Shape>;
    plane.kernel_shape = {4, 5};
    plane.strides = {2, 4};
    plane.output_padding = {1, 3};
    plane.auto_pad = "SAME_LOWER";  // The numbers are those above.
    CHECK(of_plane() == BothShapes{{2, 2}, {0, -1}});
    plane.output_shape = {10, 20};
    CHECK(of_plane() == BothShapes{{1, 2}, {-1, -1}});
    plane.output_shape.reset();
    plane.auto_pad = "NOTSET";
    plane.pads = {1, 2, 0, 9};
    CHECK(of_plane() == BothShapes{{1, 2}, {-1, 6}});

    plane.group = 2;
    plane.dilations = {1, 3};
    const ConvTranspose2dOptions o = from_onnx(plane, 4, 6, with_bias, 9);
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
        return error_of<InvalidArgument>([&] { from_onnx(a, 4, 6, with_bias, input); });
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

}  // namespace
}  // namespace unstride::tests
