// Elements of every type, against the reference: it takes the numbers that the type has, and what it expects is rounded
// to the type, too.

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "support/catch_compat.h"
#include "support/errors.h"
#include "support/guarded.h"
#include "support/harness.h"

namespace unstride::tests {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

// How far a sum may be from the reference's, by the terms of the largest output. Integers are summed exactly, and only
// rounded at the end, as the reference is.
double bound_of_sums(const CaseOf<double> &c) {
    const double most = *std::max_element(c.expected.magnitudes.begin(), c.expected.magnitudes.end());
    return c.data == Data::integers ? 0 : 4 * std::ldexp(most + 4, 1 - precision(c.types.sums()));
}

// The number of wrong outputs. What to expect is `of` the expected sum and its place; an output may differ from it by
// `roundings` to the output's type, of the expected number or of the sum, whichever is larger.
template<typename Function>
size_t count_wrong(const View<const void> &output, const CaseOf<double> &c, int roundings, const Function &of) {
    const std::vector<double> got = numbers_of(output), &sums = c.expected.values;
    size_t wrong = got.size() == sums.size() ? 0 : got.size() + 1;
    const double of_sums = bound_of_sums(c);
    for (size_t i = 0; wrong <= got.size() && i < got.size(); i++) {
        const double exact = of(sums[i], i), largest = std::max(std::abs(exact), std::abs(sums[i]));
        const double rounding = std::ldexp(largest, -precision(c.types.output)) + std::ldexp(1., -25);
        double want = exact, bound = of_sums + roundings * rounding;
        if (c.data == Data::integers && roundings == 1) {
            want = rounded(c.types.output, exact);
            bound = 0;
        }
        wrong += std::abs(got[i] - want) <= bound ? 0 : 1;
    }
    return wrong;
}

size_t count_wrong(const View<const void> &output, const CaseOf<double> &c) {
    return count_wrong(output, c, 1, [](double v, size_t) { return v; });
}

// Runs the layer on views that are parts of larger arrays: first plain, then with a residual and activations that are
// computed in registers, then with one that is not.
void check(const CaseOf<double> &c, ConvTranspose3d &layer, Layout layout) {
    std::mt19937 random(2);
    INFO(to_string(c.types) << ": " << describe(c.options, c.input_shape));
    Guarded input(c.input_shape, layout, random, c.types.input),
        output(c.expected.sizes, layout, random, c.types.output);
    Guarded residual(c.expected.sizes, layout, random, c.types.output);
    const std::vector<double> residuals =
        make_data<double>(element_count(c.expected.sizes), c.data, random, c.types.output);
    copy_into(input.any_view(), c.input);
    copy_into(residual.any_view(), residuals);
    layer.set_activation({});
    layer.forward(input.any_view(), output.any_view());
    CHECK(count_wrong(output.any_view(), c) == 0);

    layer.set_activation(Activation::leaky_relu(0.25));
    layer.forward(input.any_view(), output.any_view(), residual.any_view());
    const auto with_residual = [&](double v, size_t i) { return std::max(v + residuals[i], (v + residuals[i]) / 4); };
    CHECK(count_wrong(output.any_view(), c, 1, with_residual) == 0);

    layer.set_activation(Activation::clamp(-1, 2));
    layer.forward(input.any_view(), output.any_view());
    CHECK(count_wrong(output.any_view(), c, 1, [](double v, size_t) { return std::clamp(v, -1., 2.); }) == 0);

    // This activation is computed of outputs that were rounded already; its slope is at most 1.1.
    layer.set_activation(Activation::silu());
    layer.forward(input.any_view(), output.any_view());
    CHECK(count_wrong(output.any_view(), c, 3, [](double v, size_t) { return v / (1 + std::exp(-v)); }) == 0);
    CHECK(output.surroundings_intact());
}

void check_variants(const Types &types) {
    for (Layout layout : layouts) {
        for (const Variant &v : variants_here(layout, types)) {
            const auto run = [&](const ConvTranspose3dOptions &near, const Shape &extents, int64_t rows, Data data) {
                const ConvTranspose3dOptions options = fitted(near, v);
                const Shape input{extents[0], options.in_channels, extents[1], extents[2], extents[3]};
                const CaseOf<double> c(options, input, data, 1, types);
                ConvTranspose3d layer = c.layer();
                layer.set_variant(v.name, v.device == Device::cpu ? rows : 0);  // On a GPU there are no rows to choose.
                INFO(v.name);
                CHECK(layer.plan(c.input_shape, layout, {}, types).variant.name == v.name);
                check(c, layer, layout);
            };
            run({4, 6, 3, {2, 1, 3}, {1, 2, 1}, 0, 2}, {2, 3, 4, 11}, 0, Data::integers);
            run({4, 38, {2, 3, 3}, {1, 2, 2}, 1, {0, 1, 1}}, {3, 2, 3, 5}, 1, Data::reals);
            run({20, 5, 3, {2, 3, 1}, 2, {1, 1, 0}, 1, with_bias, {3, 2, 3}}, {1, 3, 5, 9}, 2, Data::integers);
            run({9, 17, 3, 1, 1}, {1, 3, 4, 37}, 0, Data::reals);
        }
    }
}

TEST_CASE("every variant of f64", "[types]") {
    check_variants(DType::f64);
}

TEST_CASE("every variant of f16", "[types]") {
    check_variants(DType::f16);
}

TEST_CASE("every variant of bf16", "[types]") {
    check_variants(DType::bf16);
}

TEST_CASE("every variant from 16 bits to f32", "[types]") {
    check_variants({DType::f16, DType::f32});
    check_variants({DType::bf16, DType::f32});
}

// Constructors and destructors of an app's statics may compute, too.
const bool known_before_main = parse_types("bf16-f32") == Types(DType::bf16, DType::f32);
static_assert(std::is_trivially_destructible_v<std::remove_reference_t<decltype(supported_types())>>);

TEST_CASE("what the planner takes for each type", "[types]") {
    CHECK(known_before_main);
    for (const Types &types : supported_types()) {
        for (const ConvTranspose3dOptions &o : {ConvTranspose3dOptions{32, 16, 3, 2, 1},
                                                {6, 2, 4, 2, 1},
                                                {40, 48, 3, 1, 1},
                                                {12, 12, 3, 2, 1, 0, 12},
                                                {16, 8, 2, 2},
                                                {8, 12, 3, 2, 1, 0, 4}}) {
            const CaseOf<double> c(o, {1, o.in_channels, 3, 4, 7}, Data::reals, 1, types);
            ConvTranspose3d layer = c.layer();
            for (Layout layout : layouts) {
                INFO(layer.plan(c.input_shape, layout, {}, types).variant.name);
                CHECK(layer.plan(c.input_shape, layout, {}, types).variant.types == types);
                check(c, layer, layout);
                if (types.input == types.output) {  // into a new tensor
                    layer.set_activation({});
                    const Tensor input = c.input_as(layout);
                    const Tensor output = layer.forward(input.view<void>());
                    CHECK(output.dtype() == types.output);
                    CHECK(count_wrong(output.view<void>(), c) == 0);
                }
            }
        }
    }
}

// Multiplies every number that 16 bits can be. Products overflow, fall below the least normal number, or are ties.
template<typename T>
void check_all_bits(const Types &types) {
    constexpr int64_t count = 65536;
    Tensor input({1, 1, 1, 256, 256}, Layout::ncdhw, 3, types.input),
        output(input.sizes(), Layout::ncdhw, 3, types.output);
    for (int64_t i = 0; i < count; i++) {
        input.data<T>()[i].bits = static_cast<uint16_t>(i);
    }
    for (Layout layout : layouts) {  // Arrays of one channel are the same in both.
        for (const Variant &v : variants_here(layout, types)) {
            if (v.family == "quads" || v.layer) {
                continue;
            }
            ConvTranspose3d layer(fitted({1, 1, {1, 1, v.stride_x}, {1, 1, v.stride_x}, 0, 0, 1, without_bias}, v));
            const auto width = static_cast<size_t>(v.stride_x);
            layer.set_device(tested_device());
            for (const float factor : {1.F, 1.F / 3, 1 + std::ldexp(1.F, -8), 1 + std::ldexp(1.F, -11), 3.F,
                                       std::ldexp(1.F, -12), std::ldexp(-1.25F, 30)}) {
                const std::vector<float> weight(width, factor);
                layer.set_weight(weight.data(), layer.weight_shape());
                // Infinity is among the numbers of 16 bits. A variant that cannot take it is left to the planner.
                layer.set_variant(takes_numbers(v, weight, {std::numeric_limits<float>::infinity()}) ? v.name : "");
                View<const void> from = input.view<void>();
                Tensor to({1, 1, 1, 256, 256 * v.stride_x}, Layout::ncdhw, 3, types.output);
                View<void> into = to.view<void>();
                if (layout == Layout::ndhwc) {
                    from.strides[1] = into.strides[1] = 1;
                    from.strides[4] = into.strides[4] = 1;
                }
                layer.forward(from, into);
                const std::vector<double> got = numbers_of(to.view<void>());
                // Processors that multiply pairs take numbers below the normal ones for zero.
                const float least = layer.plan(input.sizes(), layout, {}, types).variant.isa == "avx512bf16"
                                        ? std::numeric_limits<float>::min()
                                        : 0;
                size_t wrong = 0;
                for (size_t i = 0; i < got.size(); i++) {
                    const float in = static_cast<float>(input.data<T>()[i / width]), product = in * factor;
                    const float sum = std::abs(in) < least || std::abs(product) < least ? 0 : product;
                    const double want = rounded(types.output, sum);
                    wrong += std::isnan(want) ? !std::isnan(got[i]) : got[i] != want;
                }
                INFO(v.name << ", " << factor);
                CHECK(wrong == 0);
            }
        }
    }
}

TEST_CASE("all bits of f16 and bf16", "[types]") {
    check_all_bits<Half>(DType::f16);
    check_all_bits<BFloat16>(DType::bf16);
    check_all_bits<Half>({DType::f16, DType::f32});
    check_all_bits<BFloat16>({DType::bf16, DType::f32});
}

// Numbers are rounded to the nearest one of a type, and of two that are as near, to the one with even bits. Half a step
// beyond the largest, they are infinity.
template<typename T>
void check_rounding(int infinity_bits) {
    const auto positive = [](int bits) {
        T number;
        number.bits = static_cast<uint16_t>(bits);
        return static_cast<double>(static_cast<float>(number));
    };
    int wrong = 0;
    const auto expect = [&](double v, int bits) {
        const auto single = static_cast<float>(v);
        wrong += T(single).bits == bits && T(-single).bits == (bits | 0x8000) ? 0 : 1;
    };
    for (int bits = 0; bits < infinity_bits; bits++) {
        const double here = positive(bits), step = here - positive(std::max(bits - 1, 0));
        const double next = bits + 1 < infinity_bits ? positive(bits + 1) : here + step, middle = (here + next) / 2;
        expect(here, bits);
        if (static_cast<float>(middle) == middle) {  // Some numbers between those of bf16 are too small for f32.
            expect(middle, bits + bits % 2);
            expect(std::nextafter(static_cast<float>(middle), 0.F), bits);
            expect(std::nextafter(static_cast<float>(middle), std::numeric_limits<float>::infinity()), bits + 1);
        }
    }
    expect(infinity, infinity_bits);
    CHECK(wrong == 0);
    CHECK(std::isnan(static_cast<float>(T(std::numeric_limits<float>::quiet_NaN()))));
    // Of this NaN's payload only the last bit is set, which is lost: it has to stay a NaN.
    float lost = 0;
    const uint32_t bits = 0x7f800001;
    std::memcpy(&lost, &bits, sizeof lost);
    CHECK(std::isnan(static_cast<float>(T(lost))));
}

TEST_CASE("floats are rounded to f16 and bf16", "[types]") {
    check_rounding<Half>(0x7c00);
    check_rounding<BFloat16>(0x7f80);
    CHECK(static_cast<float>(Half(65519.F)) == 65504);
    CHECK(static_cast<float>(Half(65520.F)) == std::numeric_limits<float>::infinity());
    CHECK(static_cast<float>(Half(std::ldexp(1.F, -25))) == 0);
    CHECK(static_cast<float>(Half(std::ldexp(1.5F, -25))) == std::ldexp(1.F, -24));
}

TEST_CASE("weights of every type", "[types]") {
    ConvTranspose3d layer(1, 1, {1, 1, 2}, 1, 0, 0, 1, with_bias);
    const Shape shape = layer.weight_shape();
    const double doubles[] = {1 + std::ldexp(1., -40), 3}, bias = std::ldexp(1., -45);
    layer.set_weight(doubles, shape);
    layer.set_bias(&bias, {1});
    CHECK(layer.weight() == std::vector<float>{1, 3});
    CHECK(layer.exact_weight() == std::vector<double>{doubles[0], 3});
    CHECK(layer.exact_bias() == std::vector<double>{bias});
    const double one = 1;
    const Tensor result = layer.forward(dense_view(&one, {1, 1, 1, 1, 1}));
    CHECK(result.data<double>()[0] == doubles[0] + bias);
    const float single = 1;
    CHECK(layer.forward(dense_view(&single, {1, 1, 1, 1, 1})).data()[0] == 1);

    const Half halves[] = {Half(0.1F), Half(-2)};
    layer.set_weight(halves, shape);
    CHECK(layer.weight() == std::vector<float>{static_cast<float>(halves[0]), -2});
    CHECK(layer.exact_weight() == std::vector<double>{static_cast<float>(halves[0]), -2});
    const BFloat16 brains[] = {BFloat16(0.1F), BFloat16(5)};
    layer.set_weight(brains, shape);
    CHECK(layer.weight() == std::vector<float>{static_cast<float>(brains[0]), 5});
    layer.reset_parameters(1);
    CHECK(layer.exact_weight().front() == layer.weight().front());
}

TEST_CASE("types have names", "[types]") {
    for (const Types &types : supported_types()) {
        CHECK(parse_types(to_string(types)) == types);
    }
    CHECK(parse_types("f32") == Types());
    CHECK(parse_types("bf16-f32") == Types(DType::bf16, DType::f32));
    for (const char *name : {"", "f8", "f32-f16", "f64-f32", "f32-f32", "bf16-f16", "F32"}) {
        CHECK(error_of<InvalidArgument>([&] { parse_types(name); }) ==
              "the type has to be one of f32, f64, f16, bf16, f16-f32, bf16-f32, but got '" + std::string(name) + "'");
    }
}

TEST_CASE("types that do not fit are refused", "[types][errors]") {
    const ConvTranspose3d layer(1, 1, 1);
    const Shape shape{1, 1, 1, 1, 2};
    const auto error = [&](DType input, DType output) {
        const Tensor from(shape, Layout::ncdhw, 3, input);
        Tensor to(shape, Layout::ncdhw, 3, output);
        return error_of<InvalidArgument>([&] { layer.forward(from.view<void>(), to.view<void>()); });
    };
    for (const DType input : {DType::f32, DType::f64, DType::f16, DType::bf16}) {
        for (const DType output : {DType::f32, DType::f64, DType::f16, DType::bf16}) {
            const bool fits = input == output || (size_of(input) == 2 && output == DType::f32);
            const std::string expected = std::string("input of ") + to_string(input) + " and output of " +
                                         to_string(output) + " are not supported";
            CHECK(error(input, output).find(fits ? "no error" : expected) == 0);
        }
    }
    CHECK(error_of<InvalidArgument>([&] {
              layer.plan(shape, Layout::ncdhw, {}, {DType::f64, DType::f32});
          }).find("input of f64") == 0);

    Tensor halves(shape, Layout::ncdhw, 3, DType::f16), floats(shape);
    CHECK(error_of<InvalidArgument>([&] { layer.forward(floats.view(), floats.view(), halves.view<Half>()); }) ==
          "expected a residual of the output's type f32, but got f16");
    CHECK(error_of<InvalidArgument>([&] { halves.data(); }) == "the elements are f16, not f32");
    CHECK(error_of<InvalidArgument>([&] { floats.view<double>(); }) == "the elements are f32, not f64");
    View<void> odd = halves.view<void>();
    odd.data = static_cast<char *>(odd.data) + 1;
    CHECK(error_of<InvalidArgument>([&] { layer.forward(odd, floats.view()); }) == "input is not aligned to 2 bytes");
}

}  // namespace
}  // namespace unstride::tests
