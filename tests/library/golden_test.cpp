// PyTorch's results, for layers of PyTorch's own tests, ONNX's and more: tests/golden/golden_cases.py says where each
// comes from.

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "support/catch_compat.h"
#include "support/golden.h"
#include "support/harness.h"

namespace unstride::tests {
namespace {

const Golden &golden() {
    static const Golden loaded = load_golden(UNSTRIDE_GOLDEN_DIR);
    return loaded;
}

// An input and its output, with or without a batch.
struct Pair {
    GoldenArray input, output;
};

GoldenArray image(const GoldenArray &batch, int64_t n) {
    GoldenArray result{Shape(batch.shape.begin() + 1, batch.shape.end()), {}};
    const int64_t size = element_count(result.shape);
    result.values.assign(batch.values.begin() + n * size, batch.values.begin() + (n + 1) * size);
    return result;
}

GoldenArray batch_of_one(GoldenArray image) {
    image.shape.insert(image.shape.begin(), 1);
    return image;
}

bool batched(const GoldenArray &array, int spatial) {
    return array.shape.size() == static_cast<size_t>(spatial) + 2;
}

// The case's input and output as they are, and those of its images without the batch or in a batch of one.
std::vector<Pair> batched_and_unbatched(const GoldenCase &c) {
    std::vector<Pair> pairs{{c.input, c.output}};
    if (!batched(c.input, c.spatial)) {
        pairs.push_back({batch_of_one(c.input), batch_of_one(c.output)});
    } else {
        for (int64_t n = 0; n < c.input.shape[0]; n++) {
            pairs.push_back({image(c.input, n), image(c.output, n)});
        }
    }
    return pairs;
}

Tensor tensor_of(const Shape &shape, const std::vector<float> &values, Layout layout, int spatial) {
    Tensor tensor(shape, layout, spatial);
    copy_into(tensor.view(), values);
    return tensor;
}

double largest_error(const Tensor &got, const std::vector<float> &expected) {
    const std::vector<float> values = dense_copy(got);
    double largest = 0;
    for (size_t i = 0; i < expected.size(); i++) {
        const double error = std::abs(double(values[i]) - expected[i]);
        largest = std::isnan(error) ? std::numeric_limits<double>::infinity() : std::max(largest, error);
    }
    return largest;
}

void check_forward(const ConvTranspose &layer, const GoldenCase &c, const Pair &pair, Layout layout) {
    INFO((batched(pair.input, c.spatial) ? "batched, " : "unbatched, ") << to_string(layout));
    const Tensor input = tensor_of(pair.input.shape, pair.input.values, layout, c.spatial);

    REQUIRE(layer.output_shape(pair.input.shape, c.output_size) == pair.output.shape);
    const Tensor result = layer.forward(input.view(), c.output_size);
    REQUIRE(result.sizes() == pair.output.shape);
    CHECK(largest_error(result, pair.output.values) <= c.bound);

    // An output that the kernel does not write stays NaN.
    const std::vector<float> unwritten(pair.output.values.size(), std::numeric_limits<float>::quiet_NaN());
    Tensor buffer = tensor_of(pair.output.shape, unwritten, layout, c.spatial);
    layer.forward(input.view(), buffer.view());
    CHECK(largest_error(buffer, pair.output.values) <= c.bound);
}

ConvTranspose make_layer(const GoldenCase &c) {
    ConvTranspose layer(c.options, c.spatial);
    layer.set_device(tested_device());
    layer.set_weight(c.weight.values.data(), c.weight.shape);
    if (c.options.bias) {
        layer.set_bias(c.bias.values.data(), c.bias.shape);
    }
    return layer;
}

TEST_CASE("every variant gives PyTorch's results", "[golden]") {
    std::set<std::string> ran;
    std::set<int> dimensions;
    for (const GoldenCase &c : golden().cases) {
        INFO(c.name);
        dimensions.insert(c.spatial);
        ConvTranspose layer = make_layer(c);
        for (const Pair &pair : batched_and_unbatched(c)) {
            for (Layout layout : layouts) {
                for (const Variant &variant : variants_here(layout)) {
                    if (takes(variant, c.options)) {
                        INFO(variant.name);
                        layer.set_variant(variant.name);
                        check_forward(layer, c, pair, layout);
                        ran.insert(variant.name);
                    }
                }
                INFO("the planner's choice");
                layer.set_variant("");
                check_forward(layer, c, pair, layout);
            }
        }
    }
    CHECK(dimensions == std::set<int>{1, 2, 3});
    for (Layout layout : layouts) {
        for (const Variant &variant : variants_here(layout)) {
            INFO("no case of the golden data reaches " << variant.name);
            // Few cases have the kernel and the stride that a variant knows.
            CHECK((ran.count(variant.name) == 1 || variant.layer || variant.known_kernel != 0));
        }
    }
}

// A gradient's memory, in which what is not written stays NaN.
Tensor unwritten(const Shape &shape, Layout layout, int spatial, DType dtype) {
    Tensor tensor(shape, layout, spatial, dtype);
    const auto count = static_cast<size_t>(element_count(shape));
    copy_into(tensor.view<void>(), std::vector<double>(count, std::numeric_limits<double>::quiet_NaN()));
    return tensor;
}

// The golden data's gradients are exact in f32, so that those of 16 bits are rounded once.
void check_gradient(const View<const void> &got, const GoldenArray &expected) {
    std::vector<double> numbers;
    for (float value : expected.values) {
        numbers.push_back(rounded(got.dtype, value));
    }
    CHECK(got.sizes == expected.shape);
    CHECK(numbers_of(got) == numbers);
}

void check_gradients(const ConvTranspose &layer, const GoldenCase &c, Layout layout, DType dtype) {
    const auto operand = [&](GoldenOperand which, const Shape &shape) {
        Tensor tensor(shape, layout, c.spatial, dtype);
        copy_into(tensor.view<void>(), golden_operand(which, element_count(shape)));
        return tensor;
    };
    const Tensor grad_output = operand(GoldenOperand::grad_output, c.output.shape),
                 input = operand(GoldenOperand::input, c.input.shape);
    Tensor grad_input = unwritten(c.input.shape, layout, c.spatial, dtype),
           grad_weight = unwritten(c.weight.shape, Layout::ncdhw, c.spatial, dtype),
           sums = unwritten({c.options.out_channels, 1}, Layout::ncdhw, 1, dtype);
    const View<void> grad_bias(sums.data<void>(), dtype, {c.options.out_channels}, {1});
    layer.input_gradient(grad_output.view<void>(), grad_input.view<void>());
    check_gradient(grad_input.view<void>(), c.gradients->input);
    layer.weight_gradient(input.view<void>(), grad_output.view<void>(), grad_weight.view<void>());
    check_gradient(grad_weight.view<void>(), c.gradients->weight);
    layer.bias_gradient(grad_output.view<void>(), grad_bias);
    check_gradient(grad_bias, c.gradients->bias);
}

TEST_CASE("gradients are PyTorch's in every type", "[golden][gradients]") {
    int compared = 0;
    for (const GoldenCase &c : golden().cases) {
        if (!c.gradients) {
            continue;
        }
        INFO(c.name);
        ConvTranspose layer = make_layer(c);
        layer.set_weight(golden_operand(GoldenOperand::weight, element_count(c.weight.shape)).data(), c.weight.shape);
        for (Layout layout : layouts) {
            for (DType dtype : {DType::f32, DType::f64, DType::f16, DType::bf16}) {
                INFO(to_string(layout) << ", " << to_string(dtype));
                check_gradients(layer, c, layout, dtype);
                compared++;
            }
        }
    }
    CHECK(compared > 800);
}

// NaN and infinity are where PyTorch has them, be they from the input or from an overflow.
size_t count_wrong(const std::vector<double> &got, const GoldenCase &c) {
    size_t wrong = 0;
    for (size_t i = 0; i < got.size(); i++) {
        const double want = c.output.values[i];
        const bool same = std::isnan(want) ? std::isnan(got[i]) : got[i] == want;
        wrong += same || (std::isfinite(want) && std::abs(got[i] - want) <= c.bound) ? 0 : 1;
    }
    return wrong;
}

TEST_CASE("every variant of f16 and bf16 gives PyTorch's results", "[golden]") {
    CHECK(golden().typed.size() == 10);
    for (const GoldenTypedCase &typed : golden().typed) {
        const GoldenCase &c = typed.in_floats;
        INFO(c.name);
        ConvTranspose layer = make_layer(c);
        const auto check = [&](Layout layout) {
            Tensor input(c.input.shape, layout, c.spatial, typed.dtype);
            copy_into(input.view<void>(), {c.input.values.begin(), c.input.values.end()});
            const Tensor result = layer.forward(input.view<void>());
            REQUIRE(result.sizes() == c.output.shape);
            CHECK(count_wrong(numbers_of(result.view<void>()), c) == 0);
        };
        for (Layout layout : layouts) {
            for (const Variant &variant : variants_here(layout, typed.dtype)) {
                if (takes(variant, c.options) && takes_numbers(variant, c.weight.values, c.input.values)) {
                    INFO(variant.name);
                    layer.set_variant(variant.name);
                    check(layout);
                }
            }
            layer.set_variant("");
            check(layout);
        }
    }
}

TEST_CASE("output_size has the spatial sizes or all sizes", "[golden]") {
    for (const GoldenCase &c : golden().cases) {
        if (c.output_size.empty()) {
            continue;
        }
        INFO(c.name);
        const ConvTranspose layer = make_layer(c);
        for (const Pair &pair : batched_and_unbatched(c)) {
            CHECK(layer.output_shape(pair.input.shape, pair.output.shape) == pair.output.shape);
        }
    }
}

void check_parameter(const std::vector<float> &got, const GoldenParameter &expected) {
    REQUIRE(got.size() >= expected.head.size());
    const std::vector<float> head(got.begin(), got.begin() + expected.head.size());
    CHECK(head == expected.head);
    CHECK(crc32(got) == expected.crc32);
}

TEST_CASE("parameters start with PyTorch's bits", "[golden]") {
    for (const GoldenInitialization &i : golden().initializations) {
        INFO(i.spatial << " dimensions, " << i.options.in_channels << "->" << i.options.out_channels << ", kernel "
                       << i.options.kernel_size[0] << "," << i.options.kernel_size[1] << "," << i.options.kernel_size[2]
                       << ", groups " << i.options.groups << ", bias " << i.options.bias << ", seed " << i.seed);
        ConvTranspose layer(i.options, i.spatial);
        if (i.seed != 0) {  // A new layer has the weights of seed 0 already.
            layer.reset_parameters(i.seed);
        }
        check_parameter(layer.weight(), i.weight);
        check_parameter(layer.bias(), i.bias);

        layer.reset_parameters(i.seed + 1);
        layer.reset_parameters(i.seed);
        check_parameter(layer.weight(), i.weight);
        check_parameter(layer.bias(), i.bias);
    }
}

}  // namespace
}  // namespace unstride::tests
