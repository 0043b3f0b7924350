// What layers of one and two dimensions refuse: in PyTorch's texts, where it refuses that, too.

#include <algorithm>
#include <utility>

#include "support/catch_compat.h"
#include "support/errors.h"
#include "support/harness.h"

namespace unstride::tests {
namespace {

// The texts are those of PyTorch 2.15, which computes one dimension in two.
TEST_CASE("PyTorch's texts in one and two dimensions", "[dimensions][errors]") {
    const auto of_line = [](const ConvTranspose1dOptions &o) {
        return error_of<InvalidArgument>([&] { ConvTranspose1d layer(o); });
    };
    const auto of_plane = [](const ConvTranspose2dOptions &o) {
        return error_of<InvalidArgument>([&] { ConvTranspose2d layer(o); });
    };
    CHECK(of_line({4, 4, 3, 1, 0, 0, 1, with_bias, 1, "circular"}) ==
          "Only \"zeros\" padding mode is supported for ConvTranspose1d");
    CHECK(of_plane({4, 4, 3, 1, 0, 0, 1, with_bias, 1, "circular"}) ==
          "Only \"zeros\" padding mode is supported for ConvTranspose2d");
    CHECK(of_line({4, 4, 0}) == "kernel size should be greater than zero, but got kernel_height: 1 kernel_width: 0");
    CHECK(of_plane({4, 4, 0}) == "kernel size should be greater than zero, but got kernel_height: 0 kernel_width: 0");
    CHECK(of_line({4, 4, -1}) == "Trying to create tensor with negative dimension -1: [4, 4, -1]");
    CHECK(of_plane({4, 4, -1}) == "Trying to create tensor with negative dimension -1: [4, 4, -1, -1]");
    CHECK(of_line({4, 4, 3, 0}) == "non-positive stride is not supported");
    CHECK(of_plane({4, 4, 3, 1, -1}) == "negative padding is not supported");
    CHECK(of_line({4, 4, 3, 1, 0, -1}) == "negative output_padding is not supported");
    CHECK(of_line({4, 4, 3, 1, 0, 0, 1, with_bias, 0}) ==
          "dilation should be greater than zero, but got dilation_height: 1, dilation_width: 0");
    CHECK(of_plane({4, 4, 3, 1, 0, 0, 1, with_bias, 0}) ==
          "dilation should be greater than zero, but got dilation_height: 0, dilation_width: 0");
    CHECK(of_line({4, 4, 3, 2, 0, 3}) ==
          "output padding must be smaller than either stride or dilation, but got output_padding_height: 0 "
          "output_padding_width: 3 stride_height: 1 stride_width: 2 dilation_height: 1 dilation_width: 1");
    CHECK(of_plane({4, 4, 3, 2, 0, 3}) ==
          "output padding must be smaller than either stride or dilation, but got output_padding_height: 3 "
          "output_padding_width: 3 stride_height: 2 stride_width: 2 dilation_height: 1 dilation_width: 1");

    const ConvTranspose1d line(4, 8, 3, 2, 0, 0, 2), narrow_line(4, 8, 3, 1, 9);
    const ConvTranspose2d plane(4, 8, 3, 2, 0, 0, 2), narrow_plane(4, 8, 3, 1, 9);
    const auto shape_error = [](const ConvTranspose &layer, const Shape &input, const Shape &size = {}) {
        return error_of<InvalidArgument>([&] { layer.output_shape(input, size); });
    };
    CHECK(shape_error(line, {7}) ==
          "Expected 2D (unbatched) or 3D (batched) input to conv_transpose1d, but got input of size: [7]");
    CHECK(shape_error(line, {1, 1, 4, 7}) ==
          "Expected 2D (unbatched) or 3D (batched) input to conv_transpose1d, but got input of size: [1, 1, 4, 7]");
    CHECK(shape_error(plane, {6, 7}) ==
          "Expected 3D (unbatched) or 4D (batched) input to conv_transpose2d, but got input of size: [6, 7]");
    CHECK(shape_error(line, {3, 7}) == "Given transposed=1, weight of size [4, 4, 3], expected input[1, 3, 7] to have "
                                       "4 channels, but got 3 channels instead");
    CHECK(shape_error(plane, {2, 3, 6, 7}) == "Given transposed=1, weight of size [4, 4, 3, 3], expected input[2, 3, "
                                              "6, 7] to have 4 channels, but got 3 channels instead");
    CHECK(shape_error(line, {1, 4, 0}) ==
          "Only zero batch or zero channel inputs are supported, but got input shape: [1, 4, 1, 0]");
    CHECK(shape_error(plane, {1, 4, 0, 0}) ==
          "Only zero batch or zero channel inputs are supported, but got input shape: [1, 4, 0, 0]");
    CHECK(shape_error(narrow_line, {4, 7}) == "Given input size per channel: (1 x 7). Calculated output size per "
                                              "channel: (1 x -9). Output size is too small");
    CHECK(shape_error(narrow_plane, {4, 6, 7}) == "Given input size per channel: (6 x 7). Calculated output size per "
                                                  "channel: (-10 x -9). Output size is too small");
    CHECK(shape_error(line, {1, 4, 7}, {9, 9}) ==
          "ConvTranspose1D: for 3D input, output_size must have 1 or 3 elements (got 2)");
    CHECK(shape_error(plane, {4, 6, 7}, {9, 9, 9, 9}) ==
          "ConvTranspose2D: for 3D input, output_size must have 2 or 3 elements (got 4)");
    CHECK(
        shape_error(line, {1, 4, 7}, {99}) ==
        "requested an output size of [99], but valid sizes range from [15] to [16] (for an input of torch.Size([7]))");
    CHECK(shape_error(line, {4, 7}, {99}) ==
          "requested an output size of [99], but valid sizes range from [15] to [16] (for an input of torch.Size([]))");
    CHECK(shape_error(plane, {1, 4, 6, 7}, {99, 99}) ==
          "requested an output size of [99, 99], but valid sizes range from [13, 15] to [14, 16] (for an input of "
          "torch.Size([6, 7]))");

    ConvTranspose1d changed(4, 6, 3);
    const std::vector<float> values(100);
    CHECK(error_of<InvalidArgument>([&] { changed.set_bias(values.data(), {5}); }) ==
          "Given transposed=1, weight of size [4, 6, 3], expected bias to be 1-dimensional with 6 elements, but got "
          "bias of size [5] instead");
    CHECK(error_of<InvalidArgument>([&] {
              changed.set_weight(values.data(), {4, 6, 1, 1, 3});
          }) == "size mismatch for weight: expected [4, 6, 3], but got [4, 6, 1, 1, 3]");
}

TEST_CASE("layers that lack dimensions have nothing there", "[dimensions][errors]") {
    const auto error = [](const ConvTranspose3dOptions &o, int spatial) {
        return error_of<InvalidArgument>([&] { ConvTranspose layer(o, spatial); });
    };
    const std::string two = " in the dimensions that a layer of 2 lacks, but got ",
                      one = " in the dimensions that a layer of 1 lacks, but got ";
    CHECK(error({4, 4, 3}, 3) == "no error");
    CHECK(error({4, 4, 3}, 2) == "kernel_size must be 1" + two + "(3 x 3 x 3)");
    CHECK(error({4, 4, {1, 3, 3}}, 2) == "no error");
    CHECK(error({4, 4, {1, 3, 3}}, 1) == "kernel_size must be 1" + one + "(1 x 3 x 3)");
    CHECK(error({4, 4, {1, 3, 3}, 2}, 2) == "stride must be 1" + two + "(2 x 2 x 2)");
    CHECK(error({4, 4, {1, 3, 3}, 1, {1, 0, 0}}, 2) == "padding must be 0" + two + "(1 x 0 x 0)");
    CHECK(error({4, 4, {1, 3, 3}, 1, 0, 0, 1, with_bias, {2, 1, 1}}, 2) == "dilation must be 1" + two + "(2 x 1 x 1)");
    CHECK(error({4, 4, {1, 3, 3}, 1, 0, 0, 1, with_bias, 1, "zeros", Triple(-1)}, 2) ==
          "padding_end must be 0" + two + "(-1 x -1 x -1)");
    CHECK(error({4, 4, 1}, 0) == "1, 2 or 3 dimensions of space are supported, but got 0");
    CHECK(error({4, 4, 1}, 4) == "1, 2 or 3 dimensions of space are supported, but got 4");
}

TEST_CASE("views of one and two dimensions that the kernels cannot take", "[dimensions][errors]") {
    const ConvTranspose2d layer(3, 5, 3, 2, 1, 1);
    std::vector<float> input(2 * 3 * 3 * 4), output(2 * 5 * 6 * 8);
    View<const float> from = dense_view<const float>(input.data(), {2, 3, 3, 4}, Layout::ncdhw, 2);
    const View<float> to = dense_view(output.data(), {2, 5, 6, 8}, Layout::ncdhw, 2);
    CHECK(error_of<InvalidArgument>([&] {
              layer.forward(from, dense_view(output.data(), {5, 6, 8}, Layout::ncdhw, 2));
          }) == "expected output of size [2, 5, 6, 8], but got [5, 6, 8]");
    from.strides[1] = int64_t{1} << 62;
    CHECK(error_of<InvalidArgument>([&] { layer.forward(from, to); }) == "sizes overflow 64-bit arithmetic");
}

TEST_CASE("arrays that were made for another number of dimensions", "[dimensions][errors]") {
    const auto error = [](const auto &call) { return error_of<InvalidArgument>(call); };
    const ConvTranspose2d plane(64, 32, 4, 2, 1);
    const Shape sizes{1, 64, 7, 9}, larger{1, 32, 14, 18};
    Tensor right(sizes, Layout::ndhwc, 2), wrong(sizes, Layout::ndhwc), into(larger, Layout::ndhwc, 2),
        wrong_into(larger, Layout::ndhwc);
    std::fill_n(right.data(), right.element_count(), 1.F);
    const std::string refused =
        " of size [1, 64, 7, 9] was made for 3 dimensions of space, as (C, D, H, W) with strides [1, 63, 9, 1], but "
        "the layer has 2 "
        "and takes (N, C, H, W) or (C, H, W): Tensor and dense_view take that number after the layout";
    CHECK(error([&] { plane.forward(wrong.view()); }) == "input" + refused);
    CHECK(error([&] { plane.forward(std::as_const(wrong).view()); }) == "input" + refused);
    CHECK(error([&] { plane.forward(wrong.view<void>()); }) == "input" + refused);
    CHECK(error([&] { plane.forward(wrong.view(), into.view()); }) == "input" + refused);
    CHECK(error([&] { plane.forward(wrong.view<void>(), into.view<void>()); }) == "input" + refused);
    CHECK(error([&] { plane.forward(wrong.view(), into.view(), into.view()); }) == "input" + refused);
    CHECK(error([&] { plane.forward(dense_view(wrong.data(), sizes, Layout::ndhwc), into.view()); }) ==
          "input" + refused);
    CHECK(error([&] {
              plane.forward(right.view(), wrong_into.view());
          }).find("output of size [1, 32, 14, 18] was made for 3") == 0);
    CHECK(error([&] {
              plane.forward(right.view(), into.view(), wrong_into.view());
          }).find("residual of size [1, 32, 14, 18] was made for 3") == 0);
    CHECK(error([&] { plane.forward(right.view(), into.view()); }) == "no error");

    // An array (N, C, L) with one channel does not show its layout.
    const ConvTranspose2d unbatched(64, 3, 1);
    CHECK(error([&] {
              unbatched.forward(Tensor({64, 1, 9}, Layout::ndhwc, 1).view());
          }) == "input of size [64, 1, 9] was made for 1 dimensions of space, as (N, C, L) with strides [9, 1, 1], but "
                "the layer has 2 and takes (N, C, H, W) or "
                "(C, H, W): Tensor and dense_view take that number after the layout");

    // Dense columns are the same memory in both layouts, and so are slices of them; of other views nobody knows.
    Tensor columns(sizes), mine(larger);
    std::fill_n(columns.data(), columns.element_count(), 1.F);
    plane.forward(right.view(), into.view());
    plane.forward(columns.view(), mine.view());
    CHECK(dense_copy(mine) == dense_copy(into));
    View<float> slice = columns.view();
    slice.sizes[1] = 32;
    CHECK(error([&] { ConvTranspose2d(32, 4, 3).forward(slice); }) == "no error");
    for (Layout layout : layouts) {
        Tensor volume({2, 64, 3, 4, 5}, layout);
        std::fill_n(volume.data(), volume.element_count(), 1.F);
        View<float> of_volume = volume.view();
        of_volume.sizes.erase(of_volume.sizes.begin() + 2);
        of_volume.strides.erase(of_volume.strides.begin() + 2);
        CHECK(error([&] { plane.forward(of_volume); }) == "no error");
    }
    CHECK(error([&] {
              plane.forward(View<float>{right.data(), sizes, dense_strides(sizes, Layout::ndhwc, 2)});
          }) == "no error");
}

}  // namespace
}  // namespace unstride::tests
