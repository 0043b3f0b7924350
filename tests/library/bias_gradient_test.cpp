// The gradient with respect to the bias: sums over all positions of the outputs.

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "support/catch_compat.h"
#include "support/errors.h"
#include "support/harness.h"
#include "support/settings.h"

namespace unstride::tests {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

std::vector<Variant> variants_of(Layout layout, DType dtype) {
    std::vector<Variant> found;
    for (const Variant &v : variants()) {
        if (v.op == Operator::bias_gradient && v.layout == layout && v.types == Types(dtype) &&
            v.device == tested_device() && v.runs_here()) {
            found.push_back(v);
        }
    }
    return found;
}

// A layer whose output has any sizes: the input's.
ConvTranspose3d layer_of(int64_t channels) {
    ConvTranspose3d layer(1, channels, 1);
    layer.set_device(tested_device());
    return layer;
}

// The sums of each channel of numbers in the order (N, C, positions).
std::vector<double> sums_of(const Shape &sizes, const std::vector<double> &numbers) {
    std::vector<double> sums(static_cast<size_t>(sizes[1]));
    const auto positions = static_cast<size_t>(sizes[2] * sizes[3] * sizes[4]);
    for (size_t i = 0; i < numbers.size(); i++) {
        sums[i / positions % sums.size()] += numbers[i];
    }
    return sums;
}

std::vector<double> gradient(const ConvTranspose &layer, const View<const void> &grad_output, DType dtype) {
    Tensor grad_bias({1, layer.options().out_channels, 1, 1, 1}, Layout::ncdhw, 3, dtype);
    copy_into(grad_bias.view<void>(), std::vector<double>(static_cast<size_t>(layer.options().out_channels), nan));
    layer.bias_gradient(grad_output, View<void>(grad_bias.data<void>(), dtype, {layer.options().out_channels}, {1}));
    return numbers_of(grad_bias.view<void>());
}

Tensor tensor_of(const Shape &sizes, Layout layout, DType dtype, const std::vector<double> &numbers) {
    Tensor tensor(sizes, layout, 3, dtype);
    copy_into(tensor.view<void>(), numbers);
    return tensor;
}

std::vector<double> integers(const Shape &sizes, DType dtype = DType::f32) {
    std::mt19937 random(1);
    return make_data<double>(element_count(sizes), Data::integers, random, dtype);
}

const std::vector<DType> types{DType::f32, DType::f64, DType::f16, DType::bf16};

// Positions and channels around what fills steps, chunks, vectors and tasks.
const std::vector<Shape> shapes{{1, 1, 1, 1, 1},    {3, 2, 1, 1, 7},     {2, 33, 1, 1, 16},  {2, 5, 3, 5, 7},
                                {1, 8, 1, 4, 64},   {1, 17, 1, 1, 257},  {40, 3, 1, 2, 3},   {300, 2, 1, 1, 1},
                                {2, 300, 1, 1, 33}, {1, 3, 1, 1, 70001}, {5, 4, 17, 16, 15}, {1, 16, 9, 8, 8}};

TEST_CASE("bias gradients of every variant", "[bias_gradient]") {
    for (const DType dtype : types) {
        for (const Shape &sizes : shapes) {
            INFO(to_string(dtype) << " N " << sizes[0] << " C " << sizes[1] << " W " << sizes[4]);
            const std::vector<double> numbers = integers(sizes, dtype);
            std::vector<double> expected = sums_of(sizes, numbers);
            for (double &sum : expected) {
                sum = rounded(dtype, sum);
            }
            ConvTranspose3d layer = layer_of(sizes[1]);
            for (const Layout layout : {Layout::ncdhw, Layout::ndhwc}) {
                const Tensor grad_output = tensor_of(sizes, layout, dtype, numbers);
                for (const Variant &variant : variants_of(layout, dtype)) {
                    INFO(variant.name);
                    layer.set_variant(variant.name);
                    CHECK(layer
                              .plan({sizes[0], 1, sizes[2], sizes[3], sizes[4]}, layout, {}, dtype,
                                    Operator::bias_gradient)
                              .variant.name == variant.name);
                    CHECK(gradient(layer, grad_output.view<void>(), dtype) == expected);
                }
                layer.set_variant("");
                CHECK(gradient(layer, grad_output.view<void>(), dtype) == expected);
            }
        }
    }
}

TEST_CASE("bias gradients of 16-bit outputs may be f32", "[bias_gradient]") {
    const Shape sizes{2, 5, 3, 8, 100};
    for (const DType dtype : {DType::f16, DType::bf16}) {
        const std::vector<double> numbers(static_cast<size_t>(element_count(sizes)), 3);
        const Tensor grad_output = tensor_of(sizes, Layout::ncdhw, dtype, numbers);
        CHECK(gradient(layer_of(5), grad_output.view<void>(), DType::f32) == sums_of(sizes, numbers));
    }
}

TEST_CASE("bias gradients have the same bits for all threads, layouts and variants", "[bias_gradient]") {
    std::mt19937 random(2);
    for (const Shape &sizes : {Shape{3, 19, 5, 21, 47}, Shape{1, 2, 1, 300, 1000}, Shape{70, 3, 1, 3, 3}}) {
        const std::vector<double> numbers = make_data<double>(element_count(sizes), Data::reals, random);
        std::vector<double> first;
        ConvTranspose3d layer = layer_of(sizes[1]);
        for (const Layout layout : {Layout::ncdhw, Layout::ndhwc}) {
            const Tensor grad_output = tensor_of(sizes, layout, DType::f32, numbers);
            for (const Variant &variant : variants_of(layout, DType::f32)) {
                INFO(variant.name);
                layer.set_variant(variant.name);
                for (const int threads : {1, 2, 3, 7}) {
                    const Settings settings;
                    set_num_threads(threads);
                    const std::vector<double> got = gradient(layer, grad_output.view<void>(), DType::f32);
                    first = first.empty() ? got : first;
                    CHECK(got == first);
                }
            }
        }
    }
}

TEST_CASE("the error of bias gradients grows far slower than the positions", "[bias_gradient]") {
    const Shape sizes{1, 1, 1, 1 << 10, 1 << 10};
    const std::vector<double> numbers(static_cast<size_t>(element_count(sizes)), rounded(DType::f32, 0.1));
    const Tensor grad_output = tensor_of(sizes, Layout::ncdhw, DType::f32, numbers);
    const double exact = sums_of(sizes, numbers)[0];
    CHECK(std::abs(gradient(layer_of(1), grad_output.view<void>(), DType::f32)[0] / exact - 1) < 1e-5);
    float in_order = 0;
    for (const double number : numbers) {
        in_order += static_cast<float>(number);
    }
    CHECK(std::abs(in_order / exact - 1) > 1e-4);  // so that the numbers tell one from the other
}

TEST_CASE("bias gradients of strided views", "[bias_gradient]") {
    // Some of the channels, slices, rows, columns and items of a larger array.
    const Shape all{4, 9, 4, 6, 40}, sizes{2, 5, 2, 4, 33};
    for (const Layout layout : {Layout::ncdhw, Layout::ndhwc}) {
        for (const DType dtype : types) {
            const Tensor larger = tensor_of(all, layout, dtype, integers(all, dtype));
            const Shape dense = dense_strides(all, layout);
            const Shape strides{2 * dense[0], dense[1], 2 * dense[2], dense[3], dense[4]};
            const int64_t first = dense[0] + 2 * dense[1] + dense[2] + dense[3] + 3 * dense[4];
            const View<const void> part{static_cast<const char *>(larger.data<void>()) + first * size_of(dtype), dtype,
                                        sizes, strides, 3};
            ConvTranspose3d layer = layer_of(5);
            for (const Variant &variant : variants_of(layout, dtype)) {
                INFO(variant.name);
                layer.set_variant(variant.name);
                CHECK(gradient(layer, part, dtype) == sums_of(sizes, numbers_of(part)));
            }
        }
    }
}

TEST_CASE("bias gradients of items that are far apart", "[bias_gradient]") {
    const int64_t apart = 1 << 16, items = 3;
    std::vector<float> memory(static_cast<size_t>(apart * items));
    for (int64_t i = 0; i < items; i++) {
        memory[static_cast<size_t>(i * apart)] = static_cast<float>(i + 1);
    }
    const View<const void> view(memory.data(), Shape{items, 1, 1, 1, 1}, Shape{apart, 1, 1, 1, 1}, 3);
    CHECK(gradient(layer_of(1), view, DType::f32) == std::vector<double>{6});
}

TEST_CASE("bias gradients of fewer dimensions, with and without a batch", "[bias_gradient]") {
    std::vector<float> numbers(2 * 3 * 20, 1);
    std::vector<float> bias(3, -1);
    const View<void> to(bias.data(), Shape{3}, Shape{1});
    ConvTranspose2d two(2, 3, 1);
    ConvTranspose1d one(2, 3, 1);
    two.set_device(tested_device());
    one.set_device(tested_device());
    two.bias_gradient(dense_view(numbers.data(), {3, 5, 8}, Layout::ncdhw, 2), to);
    CHECK(bias == std::vector<float>(3, 40));
    two.bias_gradient(dense_view(numbers.data(), {2, 3, 4, 5}, Layout::ndhwc, 2), to, Update::accumulate);
    CHECK(bias == std::vector<float>(3, 80));
    one.bias_gradient(dense_view(numbers.data(), {3, 40}, Layout::ncdhw, 1), to);
    CHECK(bias == std::vector<float>(3, 40));
}

TEST_CASE("bias gradients are added to every other element", "[bias_gradient]") {
    for (const DType dtype : types) {
        const Shape sizes{2, 3, 1, 4, 5};
        const Tensor grad_output = tensor_of(sizes, Layout::ndhwc, dtype, std::vector<double>(120, 1));
        Tensor bias = tensor_of({1, 6, 1, 1, 1}, Layout::ncdhw, dtype, {1, 2, 3, 4, 5, 6});
        layer_of(3).bias_gradient(grad_output.view<void>(), View<void>(bias.data<void>(), dtype, {3}, {2}),
                                  Update::accumulate);
        CHECK(numbers_of(bias.view<void>()) == std::vector<double>{41, 2, 43, 4, 45, 6});
    }
}

TEST_CASE("an empty batch has bias gradients of 0", "[bias_gradient]") {
    std::vector<float> bias{1, 2, 3};
    const View<void> to(bias.data(), Shape{3}, Shape{1});
    const Tensor nothing({0, 3, 2, 2, 2});
    layer_of(3).bias_gradient(nothing.view<void>(), to, Update::accumulate);
    CHECK(bias == std::vector<float>{1, 2, 3});
    layer_of(3).bias_gradient(nothing.view<void>(), to);
    CHECK(bias == std::vector<float>(3, 0));
}

TEST_CASE("NaN and infinity reach the bias gradient of their channel alone", "[bias_gradient]") {
    const Shape sizes{1, 4, 1, 9, 37};
    for (const Layout layout : {Layout::ncdhw, Layout::ndhwc}) {
        std::vector<double> numbers(static_cast<size_t>(element_count(sizes)), 1);
        numbers[333 + 332] = nan;
        numbers[2 * 333] = std::numeric_limits<double>::infinity();
        const std::vector<double> got =
            gradient(layer_of(4), tensor_of(sizes, layout, DType::f32, numbers).view<void>(), DType::f32);
        CHECK(got[0] == 333);
        CHECK(std::isnan(got[1]));
        CHECK(got[2] == std::numeric_limits<double>::infinity());
        CHECK(got[3] == 333);
    }
}

TEST_CASE("a forced variant of the bias gradient takes its layout and no number of rows", "[bias_gradient]") {
    const std::vector<Variant> ndhwc = variants_of(Layout::ndhwc, DType::f32);
    if (ndhwc.empty()) {
        SKIP_TEST("there are no kernels for this device");
    }
    ConvTranspose3d layer = layer_of(3);
    CHECK(error_of<InvalidArgument>([&] { layer.set_variant(ndhwc.front().name, 4); }) ==
          "variant " + ndhwc.front().name + " has tasks of its own, for which rows_per_task must be 0");
    layer.set_variant(ndhwc.front().name);
    const Tensor grad_output = tensor_of({1, 3, 2, 2, 2}, Layout::ncdhw, DType::f32, std::vector<double>(24, 1));
    CHECK(error_of<InvalidArgument>([&] { gradient(layer, grad_output.view<void>(), DType::f32); }) ==
          "variant " + ndhwc.front().name + " is for layout ndhwc, not ncdhw");
}

}  // namespace
}  // namespace unstride::tests
