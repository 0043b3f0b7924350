// Every mistake in the arguments has a text; where PyTorch 2.15 has one for it, the text is PyTorch's.

#include <limits>
#include <utility>

#include "support/catch_compat.h"
#include "support/errors.h"
#include "support/harness.h"

namespace unstride::tests {
namespace {

constexpr int64_t huge = std::numeric_limits<int64_t>::max();

TEST_CASE("parameters that PyTorch refuses", "[errors]") {
    const std::string groups = "groups must be a positive integer";
    const std::string stride = "non-positive stride is not supported";
    const std::string dilation = "dilation should be greater than zero, but got dilation_depth: ";
    const std::string kernel = "non-empty 5D (n_output_plane x n_input_plane x kernel_depth x kernel_height x "
                               "kernel_width) tensor expected for weight, but got: ";
    const std::vector<std::pair<ConvTranspose3dOptions, std::string>> mistakes = {
        {{4, 4, 3, 1, 0, 0, 0}, groups},
        {{4, 4, 3, 1, 0, 0, -1}, groups},
        {{0, 4, 3}, "in_channels must be a positive integer, but got 0"},
        {{-4, 4, 3}, "in_channels must be a positive integer, but got -4"},
        {{4, 0, 3}, "out_channels must be a positive integer, but got 0"},
        {{4, -4, 3}, "out_channels must be a positive integer, but got -4"},
        {{4, 6, 3, 1, 0, 0, 3}, "in_channels must be divisible by groups"},
        {{6, 4, 3, 1, 0, 0, 3}, "out_channels must be divisible by groups"},
        {{4, 4, 0}, kernel + "[4, 4, 0, 0, 0]"},
        {{4, 4, {3, -1, 2}}, "Trying to create tensor with negative dimension -1: [4, 4, 3, -1, 2]"},
        {{4, 4, 3, 0}, stride},
        {{4, 4, 3, {1, 1, 0}}, stride},
        {{4, 4, 3, {1, -2, 1}}, stride},
        {{4, 4, 3, 1, {0, 0, -1}}, "negative padding is not supported"},
        {{4, 4, 3, 2, 0, {-1, 0, 0}}, "negative output_padding is not supported"},
        {{4, 4, 3, 1, 0, 0, 1, with_bias, 0}, dilation + "0, dilation_height: 0, dilation_width: 0"},
        {{4, 4, 3, 1, 0, 0, 1, with_bias, {1, -1, 2}}, "dilation should be greater than zero"},
        {{4, 4, 3, {2, 3, 4}, 0, {1, 3, 0}, 1, with_bias, {1, 2, 1}},
         "output padding must be smaller than either stride or dilation, but got output_padding_depth: 1 "
         "output_padding_height: 3 output_padding_width: 0 stride_depth: 2 stride_height: 3 stride_width: 4 "
         "dilation_depth: 1 dilation_height: 2 dilation_width: 1"},
        {{4, 4, 3, 1, 0, 0, 1, with_bias, 1, "circular"},
         "Only \"zeros\" padding mode is supported for ConvTranspose3d"},
    };
    for (const auto &mistake : mistakes) {
        CHECK(error_of<InvalidArgument>([&] { ConvTranspose3d layer(mistake.first); }) == mistake.second);
    }
    const ConvTranspose3dOptions &o = mistakes[17].first;
    CHECK(error_of<InvalidArgument>([&] {
              ConvTranspose3d(o.in_channels, o.out_channels, o.kernel_size, o.stride, o.padding, o.output_padding,
                              o.groups, o.bias, o.dilation, o.padding_mode);
          }) == mistakes[17].second);
    // This output padding is above the stride, but below the dilation.
    CHECK_NOTHROW(ConvTranspose3d(4, 4, 3, 1, 0, 2, 1, with_bias, 3));
}

TEST_CASE("paddings below 0 are for layers that say what is cut off at each end", "[errors]") {
    ConvTranspose3dOptions o{4, 4, 3, 1, {0, -2, 1}};
    CHECK(error_of<InvalidArgument>([&] { ConvTranspose3d layer(o); }) == "negative padding is not supported");
    o.padding_end = Triple(0, 1, -1);
    CHECK(ConvTranspose3d(o).output_shape({4, 5, 6, 7}) == Shape{4, 7, 9, 9});
}

TEST_CASE("input shapes that do not fit the layer", "[errors]") {
    const ConvTranspose3d layer(4, 8, {3, 4, 5}, 1, {0, 5, 0}, 0, 2);
    const std::vector<std::pair<Shape, std::string>> mistakes = {
        {{5, 6, 7},
         "Expected 4D (unbatched) or 5D (batched) input to conv_transpose3d, but got input of size: [5, 6, 7]"},
        {{}, "Expected 4D (unbatched) or 5D (batched) input to conv_transpose3d, but got input of size: []"},
        {{1, 1, 4, 5, 6, 7},
         "Expected 4D (unbatched) or 5D (batched) input to conv_transpose3d, but got input of size: [1, 1, 4, 5, 6, "
         "7]"},
        {{2, 3, 5, 6, 7},
         "Given transposed=1, weight of size [4, 4, 3, 4, 5], expected input[2, 3, 5, 6, 7] to have 4 channels, but "
         "got 3 "
         "channels instead"},
        {{3, 5, 6, 7},
         "Given transposed=1, weight of size [4, 4, 3, 4, 5], expected input[1, 3, 5, 6, 7] to have 4 channels, but "
         "got 3 "
         "channels instead"},
        {{2, 4, 5, 7, 7},
         "Given input size per channel: (5 x 7 x 7). Calculated output size per channel: (7 x 0 x 11). Output size is "
         "too small"},
        {{4, 5, 2, 7},
         "Given input size per channel: (5 x 2 x 7). Calculated output size per channel: (7 x -5 x 11). Output size is "
         "too small"},
        {{1, 4, 0, 9, 9}, "Only zero batch or zero channel inputs are supported, but got input shape: [1, 4, 0, 9, 9]"},
        {{4, 3, 9, 0}, "Only zero batch or zero channel inputs are supported, but got input shape: [1, 4, 3, 9, 0]"},
        {{0, 0, 0, 9, 9},
         "Given transposed=1, weight of size [4, 4, 3, 4, 5], expected input[0, 0, 0, 9, 9] to have 4 channels, but "
         "got 0 "
         "channels instead"},
        {{1, 0, 3, 9, 9},
         "Given transposed=1, weight of size [4, 4, 3, 4, 5], expected input[1, 0, 3, 9, 9] to have 4 channels, but "
         "got 0 "
         "channels instead"},
        {{0, 4, 0, 6, 9},
         "Given input size per channel: (0 x 6 x 9). Calculated output size per channel: (2 x -1 x 13). Output size is "
         "too small"},
    };
    for (const auto &mistake : mistakes) {
        CHECK(error_of<InvalidArgument>([&] { layer.output_shape(mistake.first); }) == mistake.second);
        CHECK(error_of<InvalidArgument>([&] { layer.plan(mistake.first, Layout::ncdhw); }) == mistake.second);
        const View<const float> view{nullptr, mistake.first, Shape(mistake.first.size(), 1)};
        CHECK(error_of<InvalidArgument>([&] { layer.forward(view); }) == mistake.second);
        CHECK(error_of<InvalidArgument>([&] { layer.forward(view, View<float>{}); }) == mistake.second);
    }
    CHECK_THROWS_AS(layer.output_shape({-1, 4, 5, 9, 7}), InvalidArgument);
    CHECK_THROWS_AS(layer.output_shape({1, 4, 5, -9, 7}), InvalidArgument);
}

TEST_CASE("output sizes that do not fit the input", "[errors]") {
    const ConvTranspose3d layer(4, 8, 3, 2, 1);
    const std::string range =
        ", but valid sizes range from [9, 11, 13] to [10, 12, 14] (for an input of torch.Size([5, 6, 7]))";
    const auto error = [&](const Shape &input, const Shape &size) {
        return error_of<InvalidArgument>([&] { layer.output_shape(input, size); });
    };
    const Shape batched{1, 4, 5, 6, 7}, unbatched{4, 5, 6, 7};
    CHECK(error(batched, {9, 11, 12}) == "requested an output size of [9, 11, 12]" + range);
    CHECK(error(batched, {9, 13, 13}) == "requested an output size of [9, 13, 13]" + range);
    CHECK(error(batched, {1, 8, 11, 11, 13}) == "requested an output size of [11, 11, 13]" + range);
    CHECK(error(batched, {9, 11}) == "ConvTranspose3D: for 5D input, output_size must have 3 or 5 elements (got 2)");
    CHECK(error(batched, {9, 11, 13, 13}) ==
          "ConvTranspose3D: for 5D input, output_size must have 3 or 5 elements (got 4)");
    CHECK(error(unbatched, {1, 8, 9, 11, 13}) ==
          "ConvTranspose3D: for 4D input, output_size must have 3 or 4 elements (got 5)");
    // PyTorch leaves out the first two sizes of the input here, too.
    CHECK(error(unbatched, {9, 11, 99}) ==
          "requested an output size of [9, 11, 99], but valid sizes range from [9, 11, 13] to "
          "[10, 12, 14] (for an input of torch.Size([6, 7]))");
    CHECK(layer.output_shape(batched, {77, 99, 10, 12, 14}) == Shape{1, 8, 10, 12, 14});
    const ConvTranspose3d uneven(ConvTranspose3dOptions{4, 8, 3, 2, 1, 0, 1, with_bias, 1, "zeros", Triple(-4, 1, 6)});
    CHECK(uneven.output_shape(batched, {15, 11, 8}) == Shape{1, 8, 15, 11, 8});
    CHECK(error_of<InvalidArgument>([&] {
              uneven.output_shape(batched, {16, 11, 8});
          }) == "requested an output size of [16, 11, 8], but valid sizes range from [14, 11, 8] to [15, 12, 9] (for "
                "an input of torch.Size([5, 6, 7]))");
    CHECK(layer.output_shape(unbatched, {10, 11, 14}) == Shape{8, 10, 11, 14});
}

TEST_CASE("weights and biases of the wrong shape", "[errors]") {
    ConvTranspose3d layer(4, 6, {1, 2, 3}, 1, 0, 0, 2), plain(4, 6, 1, 1, 0, 0, 1, without_bias);
    const std::vector<float> weight = layer.weight(), bias = layer.bias(), data(1000);
    const auto weight_error = [&](const float *values, const Shape &shape) {
        return error_of<InvalidArgument>([&] { layer.set_weight(values, shape); });
    };
    const auto bias_error = [&](const float *values, const Shape &shape) {
        return error_of<InvalidArgument>([&] { layer.set_bias(values, shape); });
    };
    CHECK(weight_error(data.data(), {4, 6, 1, 2, 3}) ==
          "size mismatch for weight: expected [4, 3, 1, 2, 3], but got [4, 6, 1, 2, 3]");
    CHECK(weight_error(data.data(), {72}) == "size mismatch for weight: expected [4, 3, 1, 2, 3], but got [72]");
    CHECK(weight_error(nullptr, {4, 3, 1, 2, 3}) == "weight is null");
    CHECK(bias_error(data.data(), {5}) ==
          "Given transposed=1, weight of size [4, 3, 1, 2, 3], expected bias to be 1-dimensional "
          "with 6 elements, but got bias of size [5] instead");
    CHECK(bias_error(data.data(), {1, 6}) == "Given transposed=1, weight of size [4, 3, 1, 2, 3], expected bias to be "
                                             "1-dimensional with 6 elements, but got bias of size [1, 6] instead");
    CHECK(bias_error(nullptr, {6}) == "bias is null");
    CHECK(error_of<InvalidArgument>([&] { plain.set_bias(data.data(), {6}); }) == "the layer has no bias");
    CHECK(layer.weight() == weight);
    CHECK(layer.bias() == bias);
}

TEST_CASE("sizes that overflow or that the kernels cannot count", "[errors]") {
    const std::string overflow = "sizes overflow 64-bit arithmetic";
    const auto layer_error = [](const ConvTranspose3dOptions &o) {
        return error_of<InvalidArgument>([&] { ConvTranspose3d layer(o); });
    };
    CHECK(layer_error({huge, huge, 3}) == overflow);
    CHECK(layer_error({int64_t{1} << 31, int64_t{1} << 31, 1}) == overflow);  // The bytes of the weights are too many.
    CHECK(layer_error({1, 1, {huge, 1, 3}}) == overflow);
    const auto too_large = [](const std::string &name, int64_t number) {
        return name + " is too large: " + std::to_string(number) +
               ", where up to 2^29 is supported, or -2^29 of paddings";
    };
    CHECK(layer_error({1, 1, 1, 1, huge}) == too_large("padding", huge));
    CHECK(layer_error({1, 1, 1, 1, -huge, 0, 1, with_bias, 1, "zeros", Triple(0)}) == too_large("padding", -huge));
    const auto cut_at_end = [&](int64_t padding_end) {
        return layer_error({1, 1, 1, 1, 0, 0, 1, with_bias, 1, "zeros", Triple(0, padding_end, 0)});
    };
    for (const int64_t padding_end : {huge, -huge - 1, (int64_t{1} << 29) + 1, -(int64_t{1} << 29) - 1}) {
        CHECK(cut_at_end(padding_end) == too_large("padding_end", padding_end));
    }
    CHECK(cut_at_end(-(int64_t{1} << 29)) == "no error");
    CHECK(layer_error({1, 1, 1, huge}) == too_large("stride", huge));
    CHECK(layer_error({1, 1, 1, 1, 0, 0, 1, with_bias, huge}) == too_large("dilation", huge));
    CHECK(layer_error({1, 1, 1, 40000}) ==
          "stride is too large: 40000, with dilation 1, where up to 32768 is supported, and 2^29 for their product");

    const ConvTranspose3d layer(1, 1, 3, 2);
    const auto shape_error = [&](const Shape &input) {
        return error_of<InvalidArgument>([&] { layer.output_shape(input); });
    };
    CHECK(shape_error({1, 1, huge, 1, 1}) == overflow);
    CHECK(shape_error({huge, 1, 2, 2, 2}) == overflow);
    CHECK(shape_error({1, 1, 1 << 27, 1 << 27, 1 << 9}) == overflow);  // The bytes of the output are too many.
    CHECK(shape_error({1, 1, 1, 1, int64_t{1} << 29}).find("sizes of more than 2^29 along one dimension") == 0);
    const ConvTranspose3d far(
        ConvTranspose3dOptions{1, 1, 1, 1, 0, 0, 1, with_bias, 1, "zeros", Triple(0, 0, -(int64_t{1} << 29))});
    CHECK(error_of<InvalidArgument>([&] {
              far.output_shape({1, 1, 1, 1, 1});
          }).find("sizes of more than 2^29 along one dimension") == 0);
    CHECK(layer.output_shape({1, 1, 1024, 1024, 1024}) == Shape{1, 1, 2049, 2049, 2049});
    CHECK(error_of<InvalidArgument>([&] {
              layer.output_shape({1, 1, 2, 2, 2}, {huge, 5, 5});
          }).find("requested an output size") == 0);

    CHECK(error_of<InvalidArgument>([] { dense_strides({huge, 2, 2, 2}, Layout::ncdhw); }) == overflow);
    CHECK(error_of<InvalidArgument>([] {
              dense_strides({1, 2, 3}, Layout::ncdhw);
          }) == "an array of 3 dimensions of space has 4 or 5 sizes, but got 3: [1, 2, 3]");
    CHECK(error_of<InvalidArgument>([] {
              dense_strides({1, 2, -3, 4}, Layout::ndhwc);
          }) == "sizes must be 0 or more, but got [1, 2, -3, 4]");
    CHECK(error_of<InvalidArgument>([] { Tensor tensor({huge, 2, 2, 2}); }) == overflow);
}

TEST_CASE("variants and threads that do not exist", "[errors]") {
    ConvTranspose3d layer(4, 4, 3, 5);
    CHECK(error_of<InvalidArgument>([&] { layer.set_variant("fastest"); }) == "unknown variant: fastest");
    for (const Variant &v : variants()) {
        const std::string error = error_of<InvalidArgument>([&] { layer.set_variant(v.name); });
        const std::string needs = "variant " + v.name + " needs ";
        if (!v.runs_here()) {
            CHECK(error == "variant " + v.name + " " + v.why_not_here());
            CHECK(error.find(needs + v.isa + ", which ") == 0);
        } else if (v.layer) {
            CHECK(error.find(needs + "the layer that it was compiled for: in_channels ") == 0);
        } else if (v.stride_x != 1) {
            CHECK(error == needs + "stride " + std::to_string(v.stride_x) + " and dilation 1 along the width");
        } else if (v.known_kernel != 0) {
            CHECK(error == needs + "kernel size " + std::to_string(v.known_kernel) + ", stride " +
                               std::to_string(v.known_stride) + " and dilation 1 along height and width");
        } else if (v.family == "depthwise" || v.family == "in_place" || v.family == "diagonal") {
            CHECK(error == needs + "a depthwise layer: in_channels, out_channels and groups alike");
        } else if (v.family == "winograd") {
            CHECK(error == needs + "one to three taps in each phase along depth and height");
        } else {
            CHECK(error == "no error");
        }
    }
    ConvTranspose3d odd(7, 7, 3, 1, 0, 0, 7);
    for (const Variant &v : variants()) {
        if (v.family == "in_place" && v.runs_here()) {
            CHECK(error_of<InvalidArgument>([&] { odd.set_variant(v.name); }) ==
                  "variant " + v.name + " needs a multiple of " + std::to_string(v.block) + " channels");
        }
    }
    const int threads = num_threads();
    CHECK(error_of<InvalidArgument>([] { set_num_threads(0); }) ==
          "the number of threads must be from 1 to 256, but got 0");
    CHECK(error_of<InvalidArgument>([] { set_num_threads(257); }) ==
          "the number of threads must be from 1 to 256, but got 257");
    CHECK(num_threads() == threads);
}

}  // namespace
}  // namespace unstride::tests
