// Forward and the gradients through the C API give what the references give.

#include "c_support.h"
#include "support/catch_compat.h"
#include "support/gradient_reference.h"

namespace unstride::tests {
namespace {

// A layer with its arrays in the usual order, and what they lead to.
struct Problem {
    ConvTranspose3dOptions options;
    int spatial;
    Shape input_sizes;  // (N, C, D, H, W)
    std::vector<double> input = integers(count_of(input_sizes), 1), weight = integers(count_of(weight_sizes()), 2),
                        bias = options.bias ? integers(static_cast<size_t>(options.out_channels), 3)
                                            : std::vector<double>(),
                        grad_output = integers(count_of(output_sizes()), 4);

    Shape weight_sizes() const {
        const Triple &k = options.kernel_size;
        return {options.in_channels, options.out_channels / options.groups, k.depth, k.height, k.width};
    }
    Shape output_sizes() const {
        return reference_shape(options, input_sizes);
    }

    // Sizes without the dimensions of space that the layer does not have.
    Shape seen(Shape sizes) const {
        sizes.erase(sizes.begin() + 2, sizes.begin() + 5 - spatial);
        return sizes;
    }
};

const std::vector<Problem> problems = {
    {{6, 9, {2, 3, 4}, {2, 1, 2}, {1, 0, 1}, {0, 0, 1}, 3, true, {1, 2, 1}}, 3, {2, 6, 3, 4, 5}},
    {{4, 6, {1, 3, 2}, {1, 2, 3}, {0, 1, 0}, {0, 1, 2}}, 2, {2, 4, 1, 5, 4}},
    {{5, 3, {1, 1, 4}, {1, 1, 2}, {0, 0, 1}, 0, 1, false}, 1, {3, 5, 1, 1, 9}},
};

// The order of an array's dimensions in memory: as they are, or with the channels innermost.
std::vector<size_t> order_of(int32_t layout, size_t rank) {
    std::vector<size_t> order;
    for (size_t d = 0; d < rank && layout == UNSTRIDE_NDHWC; d++) {
        order.push_back(d == 0 ? 0 : d + 1);
    }
    if (!order.empty()) {
        order.back() = 1;
    }
    return order;
}

Layer layer_with_parameters(const Problem &p) {
    Layer layer = make_layer(options_for(p.options, p.spatial));
    // Weights in a memory order of their own, and behind an offset.
    const Shape sizes = p.seen(p.weight_sizes());
    std::vector<size_t> order;
    for (size_t d = sizes.size(); d-- > 0;) {
        order.push_back(d);
    }
    OwnArray<float> weight(UNSTRIDE_F32, sizes, order);
    weight.set(p.weight);
    weight.values.insert(weight.values.begin(), 3, 99.F);
    weight.array.data = weight.values.data();
    weight.array.byte_offset = 3 * sizeof(float);
    CHECK(said(unstride_layer_set_weight(layer.get(), &weight.array)) == "ok");
    if (p.options.bias) {
        OwnArray<double> bias(UNSTRIDE_F64, {p.options.out_channels});
        bias.set(p.bias);
        CHECK(said(unstride_layer_set_bias(layer.get(), &bias.array)) == "ok");
    }
    return layer;
}

std::vector<double> times(double factor, std::vector<double> values) {
    for (double &value : values) {
        value *= factor;
    }
    return values;
}

void check_output_shape(const unstride_layer *layer, const Shape &input_sizes, const Shape &expected) {
    Shape sizes(expected.size() + 1, -1);  // one more, to see that it stays
    CHECK(said(unstride_layer_output_shape(layer, input_sizes.data(), static_cast<int32_t>(input_sizes.size()), nullptr,
                                           0, sizes.data())) == "ok");
    CHECK(sizes.back() == -1);
    sizes.pop_back();
    CHECK(sizes == expected);
}

// Runs a layer and its gradients. In is the type of input, output gradient and input
// gradient, Out of the rest.
template<typename In, typename Out>
void check_calls(const Problem &p, int32_t layout, unstride_dtype in, unstride_dtype out) {
    const Layer layer = layer_with_parameters(p);
    const Shape input_sizes = p.seen(p.input_sizes), output_sizes = p.seen(p.output_sizes());
    check_output_shape(layer.get(), input_sizes, output_sizes);

    const std::vector<size_t> order = order_of(layout, input_sizes.size());
    OwnArray<In> input(in, input_sizes, order), grad_output(in, output_sizes, order),
        grad_input(in, input_sizes, order);
    OwnArray<Out> output(out, output_sizes, order), grad_weight(out, p.seen(p.weight_sizes())),
        grad_bias(out, {p.options.out_channels});
    input.set(p.input);
    grad_output.set(p.grad_output);

    const std::vector<double> expected = reference(p.options, p.input_sizes, p.input, p.weight, p.bias).values;
    CHECK(said(unstride_layer_forward(layer.get(), &input.array, &output.array, nullptr, nullptr)) == "ok");
    CHECK(output.get() == expected);
    CHECK(said(unstride_layer_forward(layer.get(), &input.array, &output.array, &output.array, nullptr)) == "ok");
    CHECK(output.get() == times(2, expected));  // the residual is the output itself

    // The second gradient is added to the first.
    const std::vector<double> of_input =
        reference_input_gradient(p.options, p.input_sizes, p.grad_output, p.weight).values;
    const std::vector<double> of_weight =
        reference_weight_gradient(p.options, p.input_sizes, p.input, p.grad_output).values;
    const std::vector<double> of_bias = reference_bias_gradient(p.options, p.output_sizes(), p.grad_output).values;
    const unstride_call_options usual{sizeof usual, nullptr, nullptr, 0, 0};
    for (unstride_update update : {UNSTRIDE_REPLACE, UNSTRIDE_ACCUMULATE}) {
        const double factor = update == UNSTRIDE_REPLACE ? 1 : 2;
        CHECK(said(unstride_layer_input_gradient(layer.get(), &grad_output.array, &grad_input.array, update, &usual)) ==
              "ok");
        CHECK(grad_input.get() == times(factor, of_input));
        CHECK(said(unstride_layer_weight_gradient(layer.get(), &input.array, &grad_output.array, &grad_weight.array,
                                                  update, &usual)) == "ok");
        CHECK(grad_weight.get() == times(factor, of_weight));
        CHECK(said(unstride_layer_bias_gradient(layer.get(), &grad_output.array, &grad_bias.array, update, &usual)) ==
              "ok");
        CHECK(grad_bias.get() == times(factor, of_bias));
    }
}

TEST_CASE("the C API computes forward and gradients", "[c]") {
    for (const Problem &p : problems) {
        for (int32_t layout : {UNSTRIDE_NCDHW, UNSTRIDE_NDHWC}) {
            check_calls<float, float>(p, layout, UNSTRIDE_F32, UNSTRIDE_F32);
            check_calls<double, double>(p, layout, UNSTRIDE_F64, UNSTRIDE_F64);
            check_calls<Bf16, float>(p, layout, UNSTRIDE_BF16, UNSTRIDE_F32);
        }
    }
}

TEST_CASE("the C API sets and gets parameters of any type and order", "[c]") {
    const Problem &p = problems.front();
    const Layer layer = layer_with_parameters(p);
    OwnArray<double> weight(UNSTRIDE_F64, p.weight_sizes()), turned(UNSTRIDE_F64, p.weight_sizes(), {2, 0, 4, 3, 1});
    OwnArray<Bf16> bias(UNSTRIDE_BF16, {p.options.out_channels});
    CHECK(said(unstride_layer_get_weight(layer.get(), &weight.array)) == "ok");
    CHECK(said(unstride_layer_get_weight(layer.get(), &turned.array)) == "ok");
    CHECK(said(unstride_layer_get_bias(layer.get(), &bias.array)) == "ok");
    CHECK(weight.get() == p.weight);
    CHECK(turned.get() == p.weight);
    CHECK(bias.get() == p.bias);

    // What f32 cannot hold comes back as f64.
    std::vector<double> exact = p.weight;
    exact[5] = 1 + 1e-12;
    turned.set(exact);
    CHECK(said(unstride_layer_set_weight(layer.get(), &turned.array)) == "ok");
    CHECK(said(unstride_layer_get_weight(layer.get(), &weight.array)) == "ok");
    CHECK(weight.get() == exact);

    OwnArray<uint16_t> halves(UNSTRIDE_F16, {p.options.out_channels});
    std::fill(halves.values.begin(), halves.values.end(), uint16_t{0x3c00});
    CHECK(said(unstride_layer_set_bias(layer.get(), &halves.array)) == "ok");
    CHECK(said(unstride_layer_get_bias(layer.get(), &bias.array)) == "ok");
    CHECK(bias.get() == std::vector<double>(9, 1.0));
}

TEST_CASE("the C API makes layers of zeros, which compute with the weights that they get", "[c]") {
    const Problem &p = problems[0];
    unstride_layer_options options = options_for(p.options, p.spatial);
    options.zero_weights = 1;
    const Layer layer = make_layer(options), other = make_layer(options_for(p.options, p.spatial));
    OwnArray<float> weight(UNSTRIDE_F32, p.seen(p.weight_sizes())), input(UNSTRIDE_F32, p.seen(p.input_sizes)),
        output(UNSTRIDE_F32, p.seen(p.output_sizes())), bias(UNSTRIDE_F32, {p.options.out_channels});
    const auto all_zeros = [](const std::vector<double> &numbers) {
        return numbers == std::vector<double>(numbers.size(), 0.0);
    };
    CHECK(said(unstride_layer_get_weight(other.get(), &weight.array)) == "ok");
    CHECK_FALSE(all_zeros(weight.get()));  // those of a layer that is made afterwards are random again
    CHECK(said(unstride_layer_get_weight(layer.get(), &weight.array)) == "ok");
    CHECK(all_zeros(weight.get()));
    CHECK(said(unstride_layer_get_bias(layer.get(), &bias.array)) == "ok");
    CHECK(all_zeros(bias.get()));
    input.set(p.input);
    output.set(std::vector<double>(output.values.size(), 1.0));
    CHECK(said(unstride_layer_forward(layer.get(), &input.array, &output.array, nullptr, nullptr)) == "ok");
    CHECK(all_zeros(output.get()));
    weight.set(p.weight);
    bias.set(p.bias);
    CHECK(said(unstride_layer_set_weight(layer.get(), &weight.array)) == "ok");
    CHECK(said(unstride_layer_set_bias(layer.get(), &bias.array)) == "ok");
    CHECK(said(unstride_layer_forward(layer.get(), &input.array, &output.array, nullptr, nullptr)) == "ok");
    CHECK(output.get() == reference(p.options, p.input_sizes, p.input, p.weight, p.bias).values);
}

TEST_CASE("the C API initializes as PyTorch does", "[c]") {
    const Layer first = make_layer(options_for(problems.front().options)),
                second = make_layer(options_for(problems.front().options));
    OwnArray<float> a(UNSTRIDE_F32, {9}), b(UNSTRIDE_F32, {9});
    const auto get_both = [&] {
        CHECK(said(unstride_layer_get_bias(first.get(), &a.array)) == "ok");
        CHECK(said(unstride_layer_get_bias(second.get(), &b.array)) == "ok");
    };
    get_both();
    CHECK(a.values == b.values);
    CHECK(said(unstride_layer_reset_parameters(second.get(), 7)) == "ok");
    get_both();
    CHECK(a.values != b.values);
    CHECK(said(unstride_layer_reset_parameters(second.get(), 0)) == "ok");
    get_both();
    CHECK(a.values == b.values);
}

TEST_CASE("the C API has all activations", "[c]") {
    const Problem p{{1, 2, 1}, 3, {1, 1, 1, 1, 1}};
    const Layer layer = layer_with_parameters({p.options, 3, p.input_sizes, {1}, {1, 1}, {-3, 1}});
    OwnArray<float> input(UNSTRIDE_F32, p.input_sizes), output(UNSTRIDE_F32, p.output_sizes());
    input.values[0] = 1;  // the outputs are -2 and 2
    const std::vector<double> slopes = {3, 4}, bounds = {-1, 1.5};
    struct Row {
        unstride_activation kind;
        std::vector<double> parameters, expected;
    };
    const std::vector<Row> rows = {
        {UNSTRIDE_NO_ACTIVATION, {}, {-2, 2}},
        {UNSTRIDE_RELU, {}, {0, 2}},
        {UNSTRIDE_LEAKY_RELU, {}, {-0.02, 2}},
        {UNSTRIDE_LEAKY_RELU, {0.5}, {-1, 2}},
        {UNSTRIDE_PRELU, {3}, {-6, 2}},
        {UNSTRIDE_PRELU, {3, 4}, {-6, 2}},
        {UNSTRIDE_ELU, {}, {std::exp(-2.0) - 1, 2}},
        {UNSTRIDE_ELU, {2}, {2 * std::exp(-2.0) - 2, 2}},
        {UNSTRIDE_SILU, {}, {-2 / (1 + std::exp(2.0)), 2 / (1 + std::exp(-2.0))}},
        {UNSTRIDE_GELU, {}, {-std::erfc(std::sqrt(2.0)), 2 - std::erfc(std::sqrt(2.0))}},
        {UNSTRIDE_GELU_TANH, {}, {-0.0454023, 1.9545977}},
        {UNSTRIDE_TANH, {}, {std::tanh(-2.0), std::tanh(2.0)}},
        {UNSTRIDE_SIGMOID, {}, {1 / (1 + std::exp(2.0)), 1 / (1 + std::exp(-2.0))}},
        {UNSTRIDE_CLAMP, {-1, 1.5}, {-1, 1.5}},
    };
    for (const Row &row : rows) {
        INFO("activation " << row.kind);
        CHECK(said(unstride_layer_set_activation(layer.get(), row.kind, row.parameters.data(),
                                                 static_cast<int64_t>(row.parameters.size()))) == "ok");
        CHECK(said(unstride_layer_forward(layer.get(), &input.array, &output.array, nullptr, nullptr)) == "ok");
        for (size_t i = 0; i < 2; i++) {
            CHECK(std::abs(output.get()[i] - row.expected[i]) < 1e-5);
        }
    }
}

TEST_CASE("the C API has paddings at the end, and sizes of the output", "[c]") {
    ConvTranspose3dOptions options{2, 3, {1, 3, 3}, {1, 2, 2}};
    options.padding = {0, 1, 0};
    const Problem without{options, 2, {1, 2, 1, 3, 4}};
    const int64_t padding_end[] = {-2, 1};
    unstride_layer_options given = options_for(options, 2);
    given.padding_end = padding_end;
    const Layer layer = make_layer(given);
    check_output_shape(layer.get(), {1, 2, 3, 4}, {1, 3, 8, 8});

    const Layer usual = make_layer(options_for(options, 2));
    const int64_t input[] = {1, 2, 3, 4}, size[] = {6, 10};
    int64_t output[4] = {};
    CHECK(said(unstride_layer_output_shape(usual.get(), input, 4, size, 2, output)) == "ok");
    CHECK(Shape(output, output + 4) == Shape{1, 3, 6, 10});
}

TEST_CASE("the C API computes blocks", "[c]") {
    const Problem &p = problems[1];  // of two dimensions
    const Layer layer = layer_with_parameters(p);
    const Shape whole = p.seen(p.input_sizes), all = p.seen(p.output_sizes());
    unstride_block block{};
    block.size = sizeof block;
    block.input_sizes = whole.data();
    block.ndim = 4;
    block.begin[0] = 3;
    block.begin[1] = 5;
    block.end[0] = 7;
    block.end[1] = all[3];
    int64_t begin[2] = {}, end[2] = {};
    CHECK(said(unstride_layer_halo(layer.get(), &block, begin, end)) == "ok");
    CHECK(Shape(begin, begin + 2) == Shape{1, 2});
    CHECK(Shape(end, end + 2) == Shape{4, 4});

    OwnArray<float> input(UNSTRIDE_F32, whole), output(UNSTRIDE_F32, all), residual(UNSTRIDE_F32, all);
    input.set(times(0.1, p.input));  // whose sums are rounded
    residual.set(times(0.3, p.grad_output));
    OwnArray<float> some(UNSTRIDE_F32, {whole[0], whole[1], 3, 2}), part(UNSTRIDE_F32, {all[0], all[1], 4, all[3] - 5});
    const Shape input_strides = {whole[1] * whole[2] * whole[3], whole[2] * whole[3], whole[3], 1};
    some.array.data = input.values.data();
    some.array.byte_offset = sizeof(float) * static_cast<size_t>(begin[0] * whole[3] + begin[1]);
    some.array.strides = input_strides.data();
    const Shape output_strides = {all[1] * all[2] * all[3], all[2] * all[3], all[3], 1};
    unstride_array added = part.array;  // of the residual
    added.data = residual.values.data();
    added.byte_offset = sizeof(float) * static_cast<size_t>(3 * all[3] + 5);
    added.strides = output_strides.data();
    for (bool adds : {false, true}) {
        CHECK(said(unstride_layer_forward(layer.get(), &input.array, &output.array, adds ? &residual.array : nullptr,
                                          nullptr)) == "ok");
        CHECK(said(unstride_layer_forward_block(layer.get(), &block, &some.array, &part.array,
                                                adds ? &added : nullptr)) == "ok");
        for (size_t i = 0; i < part.values.size(); i++) {
            const auto at = static_cast<int64_t>(i), columns = all[3] - 5, x = at % columns, y = at / columns % 4,
                       channel = at / columns / 4;
            CHECK(part.values[i] == output.values[static_cast<size_t>((channel * all[2] + y + 3) * all[3] + x + 5)]);
        }
    }

    CHECK(said(unstride_layer_halo(layer.get(), nullptr, begin, end)) == "invalid argument: block is null");
    CHECK(said(unstride_layer_halo(layer.get(), &block, nullptr, end)) == "invalid argument: input_begin is null");
    CHECK(said(unstride_layer_halo(layer.get(), &block, begin, nullptr)) == "invalid argument: input_end is null");
    CHECK(said(unstride_layer_halo(nullptr, &block, begin, end)) == "invalid argument: layer is null");
    const auto forward = [&](const unstride_array *from, const unstride_array *to, const unstride_array *with) {
        return said(unstride_layer_forward_block(layer.get(), &block, from, to, with));
    };
    CHECK(said(unstride_layer_forward_block(nullptr, &block, &some.array, &part.array, nullptr)) ==
          "invalid argument: layer is null");
    CHECK(said(unstride_layer_forward_block(layer.get(), nullptr, &some.array, &part.array, nullptr)) ==
          "invalid argument: block is null");
    CHECK(forward(nullptr, &part.array, nullptr) == "invalid argument: input is null");
    CHECK(forward(&some.array, nullptr, nullptr) == "invalid argument: output is null");
    CHECK(forward(&some.array, &part.array, &residual.array)
              .rfind("invalid argument: expected a residual of the output's size [2, 6, 4, ", 0) == 0);
    added.dtype = UNSTRIDE_F16;
    CHECK(forward(&some.array, &part.array, &added) ==
          "invalid argument: expected a residual of the output's type f32, but got f16");
    added.device_type = UNSTRIDE_CUDA;
    CHECK(forward(&some.array, &part.array, &added) ==
          "invalid argument: residual must be in the process's memory (UNSTRIDE_CPU)");
    block.end[2] = 1;
    CHECK(said(unstride_layer_halo(layer.get(), &block, begin, end)) ==
          "invalid argument: block has more numbers than the layer has dimensions of space, 2");
    block.end[2] = 0;
    block.end[0] = 30;
    CHECK(
        forward(&some.array, &part.array, nullptr).rfind("invalid argument: a block from [3, 5] to before [30, ", 0) ==
        0);
}

TEST_CASE("the C API takes arrays without elements", "[c]") {
    const Layer layer = make_layer(options_for({2, 3, 2}));
    OwnArray<float> input(UNSTRIDE_F32, {0, 2, 3, 4, 5}), output(UNSTRIDE_F32, {0, 3, 4, 5, 6});
    input.array.data = output.array.data = nullptr;
    CHECK(said(unstride_layer_forward(layer.get(), &input.array, &output.array, nullptr, nullptr)) == "ok");
}

}  // namespace
}  // namespace unstride::tests
