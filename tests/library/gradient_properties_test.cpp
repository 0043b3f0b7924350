// What holds for all correct gradients, whatever a reference says.

#include <algorithm>
#include <cmath>
#include <functional>

#include "support/catch_compat.h"
#include "support/harness.h"

namespace unstride::tests {
namespace {

using Numbers = std::vector<double>;

double dot(const Numbers &a, const Numbers &b) {
    REQUIRE(a.size() == b.size());
    double sum = 0;
    for (size_t i = 0; i < a.size(); i++) {
        sum += a[i] * b[i];
    }
    return sum;
}

Numbers sum(Numbers a, const Numbers &b) {
    REQUIRE(a.size() == b.size());
    for (size_t i = 0; i < a.size(); i++) {
        a[i] += b[i];
    }
    return a;
}

// A layer without a bias, and its gradients, as functions of dense arrays in PyTorch's order. Arrays are in one layout
// and of one type. Gradients begin as NaN, which stays where one is not written.
class Functions {
public:
    Functions(const ConvTranspose3dOptions &options, int spatial, Shape input_shape, Layout layout, DType dtype)
        : layer_(options, spatial), input_shape_(std::move(input_shape)), layout_(layout), dtype_(dtype) {
    }

    Shape input_shape() const {
        return input_shape_;
    }
    Shape output_shape() const {
        return layer_.output_shape(input_shape_);
    }
    Shape weight_shape() const {
        return layer_.weight_shape();
    }

    Numbers output(const Numbers &input, const Numbers &weight) {
        layer_.set_weight(weight.data(), layer_.weight_shape());
        const Tensor from = tensor(input_shape_, input);
        return numbers_of(layer_.forward(from.view<void>()).view<void>());
    }
    Numbers input_gradient(const Numbers &grad_output, const Numbers &weight) {
        layer_.set_weight(weight.data(), layer_.weight_shape());
        const Tensor from = tensor(output_shape(), grad_output);
        Tensor to = unwritten(input_shape_, layout_);
        layer_.input_gradient(from.view<void>(), to.view<void>());
        return numbers_of(to.view<void>());
    }
    Numbers weight_gradient(const Numbers &grad_output, const Numbers &input) const {
        const Tensor from = tensor(input_shape_, input), gradient = tensor(output_shape(), grad_output);
        Tensor to = unwritten(layer_.weight_shape(), Layout::ncdhw);
        layer_.weight_gradient(from.view<void>(), gradient.view<void>(), to.view<void>());
        return numbers_of(to.view<void>());
    }
    Numbers bias_gradient(const Numbers &grad_output) const {
        const Tensor from = tensor(output_shape(), grad_output);
        std::vector<char> memory(static_cast<size_t>(layer_.options().out_channels * size_of(dtype_)), '\xff');
        const View<void> to(memory.data(), dtype_, {layer_.options().out_channels}, {1});
        layer_.bias_gradient(from.view<void>(), to);
        return numbers_of(to);
    }

    // The bias that is added to each output of its channel.
    Numbers spread(const Numbers &bias) const {
        Numbers all;
        const Shape shape = output_shape();
        const auto channels = static_cast<size_t>(layer_.options().out_channels);
        const size_t images = static_cast<size_t>(element_count(shape)) / channels / batch();
        for (size_t i = 0; i < batch() * channels; i++) {
            all.insert(all.end(), images, bias[i % channels]);
        }
        return all;
    }

private:
    size_t batch() const {
        return input_shape_.size() == static_cast<size_t>(layer_.spatial()) + 2 ? static_cast<size_t>(input_shape_[0])
                                                                                : 1;
    }
    Tensor tensor(const Shape &shape, const Numbers &numbers) const {
        Tensor result(shape, layout_, layer_.spatial(), dtype_);
        copy_into(result.view<void>(), numbers);
        return result;
    }
    Tensor unwritten(const Shape &shape, Layout layout) const {
        Tensor result(shape, layout, layer_.spatial(), dtype_);
        const auto bytes = static_cast<size_t>(result.element_count() * size_of(dtype_));
        std::fill_n(static_cast<char *>(result.data<void>()), bytes, '\xff');
        return result;
    }

    ConvTranspose layer_;
    Shape input_shape_;
    Layout layout_;
    DType dtype_;
};

Numbers random_numbers(const Shape &shape, Data data, std::mt19937 &random) {
    return make_data<double>(element_count(shape), data, random, DType::f64);
}

struct Geometry {
    ConvTranspose3dOptions options;
    int spatial;
    Shape input_shape;
};

Geometry draw(std::mt19937 &random) {
    const auto from_to = [&](int64_t least, int64_t most) {
        return least + static_cast<int64_t>(random() % static_cast<uint64_t>(most - least + 1));
    };
    Geometry g;
    g.spatial = static_cast<int>(from_to(1, 3));
    ConvTranspose3dOptions &o = g.options;
    o.bias = false;
    o.groups = random() % 2 == 0 ? 1 : from_to(2, 5);
    o.in_channels = o.groups * from_to(1, random() % 4 == 0 ? 20 : 4);
    o.out_channels = o.groups * from_to(1, random() % 4 == 0 ? 20 : 4);
    if (random() % 6 == 0) {
        o.in_channels = o.out_channels = o.groups = from_to(2, 40);
    }
    if (random() % 4 != 0) {
        g.input_shape.push_back(from_to(1, 3));
    }
    g.input_shape.push_back(o.in_channels);
    Triple end = 0;
    const auto of_dimension = [&](int d, int64_t &kernel, int64_t &stride, int64_t &dilation, int64_t &padding,
                                  int64_t &output_padding, int64_t &padding_end) {
        if (d < 3 - g.spatial) {
            return;
        }
        kernel = from_to(1, 4);
        stride = from_to(1, 4);
        dilation = random() % 2 == 0 ? 1 : from_to(1, 4);
        padding = from_to(0, kernel * dilation);
        output_padding = from_to(0, std::max(stride, dilation) - 1);
        padding_end = from_to(-4, kernel * dilation);
        g.input_shape.push_back(from_to(1, d == 2 ? 19 : 4));
    };
    of_dimension(0, o.kernel_size.depth, o.stride.depth, o.dilation.depth, o.padding.depth, o.output_padding.depth,
                 end.depth);
    of_dimension(1, o.kernel_size.height, o.stride.height, o.dilation.height, o.padding.height, o.output_padding.height,
                 end.height);
    of_dimension(2, o.kernel_size.width, o.stride.width, o.dilation.width, o.padding.width, o.output_padding.width,
                 end.width);
    if (random() % 3 == 0) {
        o.padding_end = end;
    }
    return g;
}

bool has_outputs(const Geometry &g) {
    Shape in_three = g.input_shape;
    if (in_three.size() < static_cast<size_t>(g.spatial) + 2) {
        in_three.insert(in_three.begin(), 1);
    }
    in_three.insert(in_three.begin() + 2, static_cast<size_t>(3 - g.spatial), 1);
    const Shape output = reference_shape(g.options, in_three);
    return *std::min_element(output.begin() + 2, output.end()) > 0;
}

// <gy, T(x, w)> = <B_x(gy, w), x> = <B_w(gy, x), w>: all are the sum of all products of an output's gradient, an input
// and a weight that meet. With integers the sums are exact in any order.
TEST_CASE("gradients are adjoint to the layer", "[gradients][properties]") {
    int checked = 0;
    for (uint32_t seed = 0; checked < 150; seed++) {
        std::mt19937 random(seed);
        const Geometry g = draw(random);
        if (!has_outputs(g)) {
            continue;
        }
        checked++;
        const DType dtype = random() % 4 == 0 ? DType::f64 : DType::f32;
        Functions f(g.options, g.spatial, g.input_shape, random() % 2 == 0 ? Layout::ncdhw : Layout::ndhwc, dtype);
        INFO("seed " << seed << ", " << g.spatial << " dimensions, " << describe(g.options, g.input_shape));
        const Numbers input = random_numbers(f.input_shape(), Data::integers, random),
                      weight = random_numbers(f.weight_shape(), Data::integers, random),
                      grad_output = random_numbers(f.output_shape(), Data::integers, random);
        const double expected = dot(grad_output, f.output(input, weight));
        CHECK(dot(f.input_gradient(grad_output, weight), input) == expected);
        CHECK(dot(f.weight_gradient(grad_output, input), weight) == expected);
        const Numbers bias = random_numbers({g.options.out_channels}, Data::integers, random);
        CHECK(dot(f.bias_gradient(grad_output), bias) == dot(grad_output, f.spread(bias)));
    }
}

// Small layers, for which each number of an array can be changed in turn.
const std::vector<Geometry> &small_geometries() {
    static const std::vector<Geometry> geometries{
        {{2, 3, {2, 3, 2}, {1, 2, 3}, {0, 1, 1}, {0, 1, 2}, 1, without_bias}, 3, {2, 2, 2, 2, 3}},
        {{4, 2, 3, {2, 1, 2}, 1, 0, 2, without_bias, {1, 2, 3}}, 3, {4, 2, 3, 2}},
        {{3, 3, {1, 3, 2}, {1, 2, 2}, {0, 1, 0}, {0, 0, 1}, 3, without_bias, 1, "zeros", Triple(0, -2, 1)},
         2,
         {2, 3, 3, 4}},
        {{2, 5, {1, 1, 1}, {1, 1, 3}, 0, {0, 0, 2}, 1, without_bias}, 1, {1, 2, 6}},
        {{3, 2, {1, 1, 4}, {1, 1, 2}, {0, 0, 3}, {0, 0, 3}, 1, without_bias, {1, 1, 4}}, 1, {2, 3, 7}},
    };
    return geometries;
}

// Compares a gradient with central differences of a function of the numbers, with the tolerances of PyTorch's
// gradcheck.
void check_differences(const Numbers &gradient, Numbers numbers, const std::function<double(const Numbers &)> &loss) {
    constexpr double step = 1e-6;
    REQUIRE(gradient.size() == numbers.size());
    for (size_t i = 0; i < numbers.size(); i++) {
        const double number = numbers[i];
        numbers[i] = number + step;
        const double above = loss(numbers);
        numbers[i] = number - step;
        const double below = loss(numbers);
        numbers[i] = number;
        const double difference = (above - below) / (2 * step);
        INFO("element " << i << " of " << numbers.size());
        CHECK(std::abs(gradient[i] - difference) <= 1e-5 + 1e-3 * std::abs(difference));
    }
}

// The loss is not linear, so that its gradients differ from place to place.
TEST_CASE("gradients are what differences of a loss are", "[gradients][properties]") {
    for (const Geometry &g : small_geometries()) {
        for (Layout layout : layouts) {
            Functions f(g.options, g.spatial, g.input_shape, layout, DType::f64);
            INFO(to_string(layout) << ", " << g.spatial << " dimensions, " << describe(g.options, g.input_shape));
            std::mt19937 random(1);
            const Numbers input = random_numbers(f.input_shape(), Data::reals, random),
                          weight = random_numbers(f.weight_shape(), Data::reals, random),
                          bias = random_numbers({g.options.out_channels}, Data::reals, random);
            const auto loss = [&](const Numbers &x, const Numbers &w, const Numbers &b) {
                double total = 0;
                for (double y : sum(f.output(x, w), f.spread(b))) {
                    total += std::sin(y);
                }
                return total;
            };
            Numbers grad_output = sum(f.output(input, weight), f.spread(bias));
            std::transform(grad_output.begin(), grad_output.end(), grad_output.begin(),
                           [](double y) { return std::cos(y); });
            check_differences(f.input_gradient(grad_output, weight), input,
                              [&](const Numbers &x) { return loss(x, weight, bias); });
            check_differences(f.weight_gradient(grad_output, input), weight,
                              [&](const Numbers &w) { return loss(input, w, bias); });
            check_differences(f.bias_gradient(grad_output), bias,
                              [&](const Numbers &b) { return loss(input, weight, b); });
        }
    }
}

// The gradients of a function of the gradients, as of a gradient penalty. All that is needed are the layer and its
// gradients, with other arguments.
TEST_CASE("gradients of gradients", "[gradients][properties]") {
    for (const Geometry &g : small_geometries()) {
        for (Layout layout : layouts) {
            Functions f(g.options, g.spatial, g.input_shape, layout, DType::f64);
            INFO(to_string(layout) << ", " << g.spatial << " dimensions, " << describe(g.options, g.input_shape));
            std::mt19937 random(2);
            const Numbers input = random_numbers(f.input_shape(), Data::reals, random),
                          weight = random_numbers(f.weight_shape(), Data::reals, random),
                          grad_output = random_numbers(f.output_shape(), Data::reals, random),
                          of_grad_input = random_numbers(f.input_shape(), Data::reals, random),
                          of_grad_weight = random_numbers(f.weight_shape(), Data::reals, random),
                          of_grad_bias = random_numbers({g.options.out_channels}, Data::reals, random);
            const auto loss = [&](const Numbers &gy, const Numbers &x, const Numbers &w) {
                return dot(of_grad_input, f.input_gradient(gy, w)) + dot(of_grad_weight, f.weight_gradient(gy, x)) +
                       dot(of_grad_bias, f.bias_gradient(gy));
            };
            const Numbers for_grad_output =
                sum(sum(f.output(of_grad_input, weight), f.output(input, of_grad_weight)), f.spread(of_grad_bias));
            check_differences(for_grad_output, grad_output, [&](const Numbers &gy) { return loss(gy, input, weight); });
            check_differences(f.input_gradient(grad_output, of_grad_weight), input,
                              [&](const Numbers &x) { return loss(grad_output, x, weight); });
            check_differences(f.weight_gradient(grad_output, of_grad_input), weight,
                              [&](const Numbers &w) { return loss(grad_output, input, w); });
        }
    }
}

}  // namespace
}  // namespace unstride::tests
