// What holds for every correct implementation, whatever the reference says.

#include <algorithm>
#include <limits>

#include "support/catch_compat.h"
#include "support/harness.h"

namespace unstride::tests {
namespace {

// The convolution of which the layer is the adjoint: it reads what the layer writes, and writes what the layer reads.
// `x` has the layer's output shape; the result has its input shape, without a bias.
std::vector<double> convolution(const Case &c, const std::vector<float> &x) {
    const ConvTranspose3dOptions &o = c.options;
    const Shape &in = c.input_shape, &out = c.expected.sizes;
    const Triple &k = o.kernel_size;
    const int64_t from_channels = o.out_channels / o.groups, to_channels = o.in_channels / o.groups;
    std::vector<double> result(element_count(in));
    for (int64_t i = 0; i < element_count(in); i++) {
        const int64_t ix = i % in[4], iy = i / in[4] % in[3], iz = i / in[4] / in[3] % in[2];
        const int64_t channel = i / (in[4] * in[3] * in[2]) % in[1], n = i / (in[4] * in[3] * in[2] * in[1]);
        for (int64_t tap = 0; tap < from_channels * k[0] * k[1] * k[2]; tap++) {
            const int64_t kx = tap % k[2], ky = tap / k[2] % k[1], kz = tap / k[2] / k[1] % k[0];
            const int64_t from = channel / to_channels * from_channels + tap / (k[2] * k[1] * k[0]);
            const int64_t x_ = ix * o.stride[2] - o.padding[2] + kx * o.dilation[2];
            const int64_t y_ = iy * o.stride[1] - o.padding[1] + ky * o.dilation[1];
            const int64_t z_ = iz * o.stride[0] - o.padding[0] + kz * o.dilation[0];
            if (x_ >= 0 && x_ < out[4] && y_ >= 0 && y_ < out[3] && z_ >= 0 && z_ < out[2]) {
                const float weight = c.weight[channel * from_channels * k[0] * k[1] * k[2] + tap];
                result[i] += double(weight) * x[(((n * out[1] + from) * out[2] + z_) * out[3] + y_) * out[4] + x_];
            }
        }
    }
    return result;
}

template<typename A, typename B>
double dot(const std::vector<A> &a, const std::vector<B> &b) {
    double sum = 0;
    for (size_t i = 0; i < a.size(); i++) {
        sum += double(a[i]) * double(b[i]);
    }
    return sum;
}

TEST_CASE("the layer is the adjoint of a convolution", "[properties]") {
    const ConvTranspose3dOptions layers[] = {
        {3, 5, 3, 2, 1, 1, 1, without_bias},
        {4, 6, {2, 3, 4}, {1, 2, 3}, {0, 1, 2}, {0, 1, 1}, 2, without_bias, {2, 1, 3}},
        {6, 6, 3, {2, 2, 1}, 1, 0, 6, without_bias, {3, 2, 1}},
        {2, 17, 1, 3, 0, 2, 1, without_bias},
    };
    for (const ConvTranspose3dOptions &options : layers) {
        const Case c(options, {2, options.in_channels, 3, 4, 9}, Data::integers, 3);
        INFO(describe(options, c.input_shape));
        std::mt19937 random(4);
        const std::vector<float> x = make_data(element_count(c.expected.sizes), Data::integers, random);
        const double expected = dot(convolution(c, x), c.input);
        for (Layout layout : layouts) {
            CHECK(dot(x, dense_copy(forward(c.layer(), c, layout))) == expected);
        }
    }
}

// The size of a convolution's output, by the documented formula of torch.nn.Conv3d.
int64_t convolution_size(int64_t size, int64_t kernel, int64_t stride, int64_t padding, int64_t dilation) {
    return (size + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1;
}

TEST_CASE("convolution undoes the shape for every output padding", "[properties]") {
    int checked = 0;
    for (int64_t kernel = 1; kernel <= 5; kernel++) {
        for (int64_t stride = 1; stride <= 5; stride++) {
            for (int64_t dilation = 1; dilation <= 4; dilation++) {
                for (int64_t padding = 0; padding <= 3; padding++) {
                    for (int64_t output_padding = 0; output_padding < stride; output_padding++) {
                        const ConvTranspose3d layer(1, 1, kernel, stride, padding, output_padding, 1, without_bias,
                                                    dilation);
                        const Shape input{1, 1, 4, 5, 9};
                        if (reference_shape(layer.options(), input)[2] <= 0) {
                            continue;
                        }
                        const Shape output = layer.output_shape(input);
                        INFO(describe(layer.options(), input));
                        for (int d = 2; d < 5; d++) {
                            CHECK(convolution_size(output[d], kernel, stride, padding, dilation) == input[d]);
                        }
                        checked++;
                    }
                }
            }
        }
    }
    CHECK(checked > 1000);
}

// This follows PyTorch's test_ConvTranspose2d_output_size_downsample_upsample.
TEST_CASE("output_size restores the size that a convolution was given", "[properties]") {
    for (int64_t size = 8; size <= 14; size++) {
        for (int64_t kernel = 1; kernel <= 3; kernel++) {
            for (int64_t dilation = 1; dilation <= 3; dilation++) {
                for (int64_t stride = 1; stride <= 4; stride++) {
                    for (int64_t padding = 0; padding <= 2; padding++) {
                        const int64_t small = convolution_size(size, kernel, stride, padding, dilation);
                        const ConvTranspose3d layer(1, 2, kernel, stride, padding, 0, 1, with_bias, dilation);
                        INFO(describe(layer.options(), {1, 1, small, small, small}) << ", output size " << size);
                        CHECK(layer.output_shape({1, 1, small, small, small}, {size, size, size}) ==
                              Shape{1, 2, size, size, size});
                        CHECK(layer.output_shape({1, small, small, small}, {0, size, size, size}) ==
                              Shape{2, size, size, size});
                    }
                }
            }
        }
    }
}

TEST_CASE("output_size computes what output_padding does", "[properties]") {
    const ConvTranspose3dOptions options{3, 5, 3, 3, 1, {2, 0, 1}};
    const Case c(options, {1, 3, 2, 3, 4}, Data::integers, 1);
    ConvTranspose3dOptions unpadded = options;
    unpadded.output_padding = 0;
    ConvTranspose3d layer = Case(unpadded, c.input_shape, Data::integers, 1).layer();
    const Tensor input = c.input_as(Layout::ncdhw);
    const Shape &sizes = c.expected.sizes;
    CHECK(mismatch(layer.forward(input.view(), {sizes[2], sizes[3], sizes[4]}), c) == "none");
    CHECK(mismatch(layer.forward(input.view(), sizes), c) == "none");
    Tensor buffer(sizes);
    layer.forward(input.view(), buffer.view());
    CHECK(mismatch(buffer, c) == "none");
}

TEST_CASE("layouts give the same values", "[properties]") {
    for (const ConvTranspose3dOptions &options :
         {ConvTranspose3dOptions{20, 36, 4, 2, 1}, ConvTranspose3dOptions{8, 8, 3, 2, 1, 1, 8},
          ConvTranspose3dOptions{9, 3, 3, {1, 2, 3}, 1, 0, 3, with_bias, {2, 1, 2}}}) {
        const Case c(options, {2, options.in_channels, 3, 4, 18}, Data::integers, 5);
        const ConvTranspose3d layer = c.layer();
        const Tensor ncdhw = forward(layer, c, Layout::ncdhw), ndhwc = forward(layer, c, Layout::ndhwc);
        CHECK(ncdhw.layout() == Layout::ncdhw);
        CHECK(ndhwc.layout() == Layout::ndhwc);
        CHECK(same_bits(dense_copy(ncdhw), dense_copy(ndhwc)));
    }
}

TEST_CASE("an input without a batch gives what a batch of one gives", "[properties]") {
    const Case c({3, 5, 3, 2, 1, 1}, {1, 3, 2, 3, 4}, Data::reals, 1);
    for (Layout layout : layouts) {
        const Tensor batched = c.input_as(layout);
        const Tensor result = c.layer().forward(View<const float>(dense_view(batched.data(), {3, 2, 3, 4}, layout)));
        CHECK(result.sizes() == Shape{5, 4, 6, 8});
        CHECK(same_bits(dense_copy(result), dense_copy(forward(c.layer(), c, layout))));
    }
}

TEST_CASE("a batch of none gives a batch of none", "[properties]") {
    const ConvTranspose3d layer(3, 5, 3, 2);
    for (Layout layout : layouts) {
        const Tensor input({0, 3, 2, 3, 4}, layout);
        CHECK(layer.forward(input.view()).sizes() == Shape{0, 5, 5, 7, 9});
        const View<const float> null{nullptr, input.sizes(), dense_strides(input.sizes(), layout)};
        const Shape sizes{0, 5, 5, 7, 9};
        CHECK_NOTHROW(layer.forward(null, View<float>{nullptr, sizes, dense_strides(sizes, layout)}));
        CHECK(layer.plan({0, 3, 2, 3, 4}, layout).multiply_adds == 0);
    }
}

TEST_CASE("an expanded input is read through strides of zero", "[properties]") {
    const Case one({3, 5, 3, 2, 1}, {1, 3, 2, 3, 4}, Data::integers, 1);
    const Tensor input = one.input_as(Layout::ncdhw);
    View<const float> expanded = input.view();
    expanded.sizes[0] = 3;
    expanded.strides[0] = 0;
    const ConvTranspose3d layer = one.layer();
    const std::vector<float> single = dense_copy(layer.forward(input.view())),
                             three = dense_copy(layer.forward(expanded));
    REQUIRE(three.size() == 3 * single.size());
    for (size_t i = 0; i < three.size(); i += single.size()) {
        CHECK(std::equal(single.begin(), single.end(), three.begin() + i));
    }
}

TEST_CASE("strides of dimensions of one element do not matter", "[properties]") {
    const Case c({3, 5, 3, 2, {1, 1, 0}}, {1, 3, 2, 3, 1}, Data::integers, 1);
    for (Layout layout : layouts) {
        const Tensor input = c.input_as(layout);
        for (int64_t stride : {int64_t{0}, int64_t{1}, int64_t{7}, std::numeric_limits<int64_t>::max(), int64_t{-1}}) {
            View<const float> view = input.view();
            view.strides[0] = view.strides[4] = stride;
            INFO(to_string(layout) << ", stride " << stride);
            CHECK(mismatch(c.layer().forward(view), c) == "none");
        }
    }
}

}  // namespace
}  // namespace unstride::tests
