// Layers of oneDNN, by the shapes that its benchmark tests.

#include <limits>

#include "support/catch_compat.h"
#include "support/errors.h"
#include "support/framework_layers.h"

namespace unstride::tests {
namespace {

constexpr int64_t huge = std::numeric_limits<int64_t>::max();

// The shapes are those of tests/benchdnn/inputs/deconv of oneDNN, which have input and output sizes; where these have
// many channels, there are fewer here.
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
                        p.inputs, p.outputs, with_bias);
        const Case c(options, {2, p.inputs, p.input[0], p.input[1], p.input[2]}, Data::reals, 1);
        INFO(p.source << ": " << describe(options, c.input_shape));
        CHECK(c.expected.sizes == Shape{2, p.outputs, p.output[0], p.output[1], p.output[2]});
        for (Layout layout : layouts) {
            CHECK(mismatch(forward(c.layer(), c, layout), c) == "none");
        }
    }
}

// The shapes are those of shapes_1d and deconv_2d in the same folder.
TEST_CASE("shapes of oneDNN in one and two dimensions", "[frameworks]") {
    const auto of_line = [](const OneDnnDeconvolution1d &primitive, int64_t input) {
        const ConvTranspose1dOptions o = from_onednn(primitive, 8, 16, with_bias);
        CHECK(Shape{o.in_channels, o.out_channels, o.groups, o.kernel_size, o.stride, o.dilation} ==
              Shape{8, 16, primitive.groups, primitive.kernel, primitive.strides, primitive.dilates + 1});
        return Shape{o.padding, *o.padding_end, ConvTranspose1d(o).output_shape({8, input})[1]};
    };
    CHECK(of_line({3, 1, 2, 3, 6}, 5) == Shape{3, 6, 2});         // deconv1d:1
    CHECK(of_line({7, 2, 0, 3, 2}, 112) == Shape{3, 2, 224});     // googlenet_v1:conv1/7x7_s2
    CHECK(of_line({7, 2, 0, 0, -1}, 512) == Shape{0, -1, 1030});  // masknet_p1:deconv1
    CHECK(of_line({11, 4, 0, 0, 0, 2}, 55) == Shape{0, 0, 227});  // alexnet:deconv1, with groups

    const ConvTranspose2dOptions plane =
        from_onednn(OneDnnDeconvolution2d{{1, 3}, 1, {0, 2}, {0, 3}, {0, 6}}, 8, 8, with_bias);  // deconv1d:1
    CHECK(numbers(plane.padding) == Shape{0, 3});
    CHECK(numbers(*plane.padding_end) == Shape{0, 6});
    CHECK(ConvTranspose2d(plane).output_shape({2, 8, 1, 5}) == Shape{2, 8, 1, 2});
}

TEST_CASE("parameters that oneDNN refuses", "[frameworks][errors]") {
    const auto error = [](const OneDnnDeconvolution &primitive) {
        return error_of<InvalidArgument>([&] { from_onednn(primitive, 4, 6, with_bias); });
    };
    CHECK(error({3, 1, {0, -1, 0}}) == "dilation (-1) must be non-negative");
    CHECK(error({3, 1, huge}) == "sizes overflow 64-bit arithmetic");
    CHECK(error({3, 1, 0, {0, -1, 0}, 0}) == "no error");
    CHECK(error({3, 1, 0, -huge, 0}).find("padding is too large: " + std::to_string(-huge)) == 0);
    CHECK(error({3, 1, 0, 0, -5}) == "no error");
    CHECK(error({3, 1, 0, 0, -huge}).find("padding_end is too large: " + std::to_string(-huge)) == 0);
}

}  // namespace
}  // namespace unstride::tests
