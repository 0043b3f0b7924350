// Layers of one and two dimensions: those of the problem table, and PyTorch's shapes and initial weights.

#include <utility>

#include "support/catch_compat.h"
#include "support/errors.h"
#include "support/guarded.h"
#include "support/harness.h"
#include "support/problems.h"

namespace unstride::tests {
namespace {

// The last numbers of a triple.
template<typename Extents>
Extents last(const Triple &t);

template<>
int64_t last(const Triple &t) {
    return t.width;
}

template<>
Pair last(const Triple &t) {
    return {t.height, t.width};
}

template<typename Layer>
Layer layer_of(const ConvTranspose3dOptions &o) {
    typename Layer::Options lower;
    using Extents = decltype(lower.stride);
    lower = {o.in_channels,
             o.out_channels,
             last<Extents>(o.kernel_size),
             last<Extents>(o.stride),
             last<Extents>(o.padding),
             last<Extents>(o.output_padding),
             o.groups,
             o.bias,
             last<Extents>(o.dilation),
             o.padding_mode,
             {}};
    if (o.padding_end) {
        lower.padding_end = last<Extents>(*o.padding_end);
    }
    return Layer(lower);
}

bool lacks(const Problem &p, int d) {
    return p.input[d] == 1 && p.kernel[d] == 1 && p.stride[d] == 1 && p.padding[d] == 0 && p.output_padding[d] == 0 &&
           p.dilation[d] == 1 && p.padding_end.value_or(p.padding)[d] == 0;
}

// Sizes or strides without the dimensions that a layer lacks.
Shape lower(Shape five, int spatial) {
    five.erase(five.begin() + 2, five.end() - spatial);
    return five;
}

template<typename T>
View<T> lower(const View<T> &view, int spatial) {
    return {view.data, lower(view.sizes, spatial), lower(view.strides, spatial)};
}

template<typename T>
View<T> without_batch(View<T> view) {
    view.sizes.erase(view.sizes.begin());
    view.strides.erase(view.strides.begin());
    return view;
}

template<typename Layer>
void check_problem(const Problem &problem) {
    const Case c(problem.options(), problem.input_shape(), Data::reals, 1);
    INFO(problem.reason << ": " << describe(c.options, c.input_shape));
    Layer layer = layer_of<Layer>(c.options);
    const int spatial = layer.spatial();
    layer.set_device(tested_device());
    layer.set_weight(c.weight.data(), lower({c.options.in_channels, c.options.out_channels / c.options.groups,
                                             problem.kernel[0], problem.kernel[1], problem.kernel[2]},
                                            spatial));
    if (c.options.bias) {
        layer.set_bias(c.bias.data(), layer.bias_shape());
    }
    const Shape input_shape = lower(c.input_shape, spatial), output_shape = lower(c.expected.sizes, spatial);
    REQUIRE(layer.output_shape(input_shape) == output_shape);
    std::mt19937 random(1);
    for (Layout layout : layouts) {
        Tensor input(input_shape, layout, spatial);
        copy_into(input.view(), c.input);
        Guarded around(c.input_shape, layout, random), into(c.expected.sizes, layout, random);
        copy_into(around.view(), c.input);
        for (const Variant &variant : variants_here(layout)) {
            if (!takes(variant, c.options)) {
                continue;
            }
            INFO(variant.name);
            layer.set_variant(variant.name);
            CHECK(layer.plan(input_shape, layout).variant.name == variant.name);
            const Tensor result = layer.forward(std::as_const(input).view());
            CHECK(result.sizes() == output_shape);
            CHECK(result.spatial() == spatial);
            CHECK(mismatch(c.expected.sizes, dense_copy(result), c) == "none");

            layer.forward(lower(around.const_view(), spatial), lower(into.view(), spatial));
            CHECK(mismatch(c.expected.sizes, dense_copy(into.const_view()), c) == "none");
            CHECK(into.surroundings_intact());
            if (problem.batch == 1) {
                copy_into(into.view(), std::vector<float>(c.expected.values.size(), -99.f));
                layer.forward(without_batch(lower(around.const_view(), spatial)),
                              without_batch(lower(into.view(), spatial)));
                CHECK(mismatch(c.expected.sizes, dense_copy(into.const_view()), c) == "none");
            }
        }
        layer.set_variant("");
        CHECK(mismatch(c.expected.sizes, dense_copy(layer.forward(std::as_const(input).view())), c) == "none");
    }
}

TEST_CASE("layers of one dimension", "[dimensions]") {
    int found = 0;
    for (const Problem &problem : problems) {
        if (lacks(problem, 0) && lacks(problem, 1)) {
            check_problem<ConvTranspose1d>(problem);
            found++;
        }
    }
    CHECK(found > 4);
}

TEST_CASE("layers of two dimensions", "[dimensions]") {
    int found = 0;
    for (const Problem &problem : problems) {
        if (lacks(problem, 0)) {
            check_problem<ConvTranspose2d>(problem);
            found++;
        }
    }
    CHECK(found > 8);
}

TEST_CASE("shapes of one and two dimensions", "[dimensions]") {
    const ConvTranspose1d line(4, 6, 3, 2, 1);
    CHECK(line.spatial() == 1);
    CHECK(line.weight_shape() == Shape{4, 6, 3});
    CHECK(line.options().stride == 2);
    CHECK(line.output_shape({2, 4, 7}) == Shape{2, 6, 13});
    CHECK(line.output_shape({4, 7}) == Shape{6, 13});
    CHECK(line.output_shape({2, 4, 7}, {14}) == Shape{2, 6, 14});
    CHECK(line.output_shape({4, 7}, {6, 14}) == Shape{6, 14});
    CHECK(line.output_shape({0, 4, 7}) == Shape{0, 6, 13});

    const ConvTranspose2d plane(4, 6, {3, 2}, 2, {1, 0});
    CHECK(plane.spatial() == 2);
    CHECK(plane.weight_shape() == Shape{4, 6, 3, 2});
    CHECK(plane.options().stride.height == 2);
    CHECK(plane.output_shape({2, 4, 5, 7}) == Shape{2, 6, 9, 14});
    CHECK(plane.output_shape({4, 5, 7}, {10, 15}) == Shape{6, 10, 15});
    CHECK(plane.output_shape({2, 4, 5, 7}, {2, 6, 10, 14}) == Shape{2, 6, 10, 14});
    CHECK(plane.forward(Tensor({0, 4, 5, 7}, Layout::ndhwc, 2).view()).sizes() == Shape{0, 6, 9, 14});

    // The number of dimensions may be known only when the app runs.
    ConvTranspose any({4, 6, {1, 3, 2}, {1, 2, 2}, {0, 1, 0}}, 2);
    CHECK(any.output_shape({2, 4, 5, 7}) == Shape{2, 6, 9, 14});
    any = ConvTranspose1d(4, 6, 3);
    CHECK(any.output_shape({4, 7}) == Shape{6, 9});
}

TEST_CASE("arrays of one and two dimensions", "[dimensions]") {
    CHECK(dense_strides({2, 3, 4}, Layout::ncdhw, 1) == Shape{12, 4, 1});
    CHECK(dense_strides({2, 3, 4}, Layout::ndhwc, 1) == Shape{12, 1, 3});
    CHECK(dense_strides({3, 4}, Layout::ndhwc, 1) == Shape{1, 3});
    CHECK(dense_strides({2, 3, 4, 5}, Layout::ncdhw, 2) == Shape{60, 20, 5, 1});
    CHECK(dense_strides({2, 3, 4, 5}, Layout::ndhwc, 2) == Shape{60, 1, 15, 3});
    CHECK(dense_strides({2, 3, 4, 5}, Layout::ndhwc, 3) == Shape{1, 40, 10, 2});
    CHECK(Tensor({2, 3, 4}, Layout::ndhwc, 1).view().strides == Shape{12, 1, 3});
    const auto error = [](const Shape &sizes, int spatial) {
        return error_of<InvalidArgument>([&] { dense_strides(sizes, Layout::ncdhw, spatial); });
    };
    CHECK(error({2, 3, 4, 5}, 1) == "an array of 1 dimensions of space has 2 or 3 sizes, but got 4: [2, 3, 4, 5]");
    CHECK(error({2, 3}, 2) == "an array of 2 dimensions of space has 3 or 4 sizes, but got 2: [2, 3]");
    CHECK(error({}, 1) == "an array of 1 dimensions of space has 2 or 3 sizes, but got 0: []");
    CHECK(error({2, 3}, 0) == "1, 2 or 3 dimensions of space are supported, but got 0");
    CHECK(error({2, 3, 4, 5, 6}, 4) == "1, 2 or 3 dimensions of space are supported, but got 4");
}

// The expected numbers are PyTorch's results.
TEST_CASE("empty batches may have no space", "[dimensions]") {
    const ConvTranspose1d line(2, 4, 3, 2);
    CHECK(line.output_shape({0, 2, 0}) == Shape{0, 4, 1});
    CHECK(ConvTranspose1d(2, 4, 3, 2, 1, 1).output_shape({0, 2, 0}) == Shape{0, 4, 0});
    const ConvTranspose2d plane(2, 4, 3, 2);
    CHECK(plane.output_shape({0, 2, 0, 0}) == Shape{0, 4, 1, 1});
    CHECK(plane.output_shape({0, 2, 3, 0}) == Shape{0, 4, 7, 1});
    const ConvTranspose3d layer(2, 4, 3, 2), same(2, 4, 1), padded(2, 4, 3, 2, 1), stretched(2, 4, 3, 2, 1, 1);
    CHECK(layer.output_shape({0, 2, 0, 3, 3}) == Shape{0, 4, 1, 7, 7});
    CHECK(layer.output_shape({0, 2, 0, 0, 0}) == Shape{0, 4, 1, 1, 1});
    CHECK(layer.output_shape({0, 2, 0, 3, 3}, {2, 7, 8}) == Shape{0, 4, 2, 7, 8});
    CHECK(same.output_shape({0, 2, 0, 3, 3}) == Shape{0, 4, 0, 3, 3});
    CHECK(stretched.output_shape({0, 2, 0, 0, 0}) == Shape{0, 4, 0, 0, 0});
    const auto error = [](const auto &call) { return error_of<InvalidArgument>(call); };
    CHECK(error([&] {
              padded.output_shape({0, 2, 0, 3, 3});
          }) == "Given input size per channel: (0 x 3 x 3). Calculated output size per channel: (-1 x 5 x 5). Output "
                "size is too small");
    CHECK(error([&] {
              stretched.output_shape({1, 2, 0, 3, 3});
          }).find("Only zero batch or zero channel inputs are supported") == 0);

    for (Layout layout : layouts) {
        const Tensor input({0, 2, 0, 3, 3}, layout);
        CHECK(layer.forward(input.view()).sizes() == Shape{0, 4, 1, 7, 7});
        CHECK(same.forward(input.view()).sizes() == Shape{0, 4, 0, 3, 3});
        Tensor output({0, 4, 2, 7, 8}, layout), wrong({0, 4, 3, 7, 8}, layout);
        CHECK(error([&] { layer.forward(input.view(), output.view()); }) == "no error");
        CHECK(error([&] { layer.forward(input.view(), wrong.view()); }) ==
              "expected output of size [0, 4, 1, 7, 7] to [0, 4, 2, 8, 8], but got [0, 4, 3, 7, 8]");
        CHECK(layer.plan(input.sizes(), layout).tasks == 0);
        CHECK(same.plan({0, 2, 0, 0, 0}, layout).multiply_adds == 0);
    }
}

// The expected numbers are PyTorch's, from torch.manual_seed(5) and then the layer.
TEST_CASE("layers of one and two dimensions start with PyTorch's bits", "[dimensions]") {
    const auto ends = [](ConvTranspose &&layer) {
        layer.reset_parameters(5);
        const std::vector<float> &w = layer.weight(), &b = layer.bias();
        return std::vector<float>{w[0], w[1], w.back(), b[0], b.back()};
    };
    CHECK(ends(ConvTranspose2d(4, 6, {2, 3}, 1, 0, 0, 2)) ==
          std::vector<float>{0x1.3ed652p-3f, -0x1.68f756p-3f, -0x1.e3a3ap-4f, -0x1.336982p-5f, 0x1.c0ab78p-3f});
    CHECK(ends(ConvTranspose1d(4, 6, 16, 8)) ==
          std::vector<float>{0x1.141f02p-4f, -0x1.389b1ap-4f, -0x1.2067a2p-5f, 0x1.04e39cp-5f, -0x1.edf6c2p-6f});
    CHECK(ConvTranspose1d(4, 6, 5).weight() == ConvTranspose3d(4, 6, {1, 1, 5}).weight());
}

}  // namespace
}  // namespace unstride::tests
