// Residual and activation, against the reference with these applied in double precision.

#include <cmath>
#include <limits>
#include <map>
#include <string>

#include "support/activation_reference.h"
#include "support/catch_compat.h"
#include "support/errors.h"
#include "support/guarded.h"
#include "support/harness.h"
#include "support/machines.h"

namespace unstride::tests {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();

// Every activation; prelu has a slope for each of `channels` output channels.
std::vector<Activation> activations(int64_t channels) {
    std::vector<double> slopes;
    for (int64_t c = 0; c < channels; c++) {
        slopes.push_back(static_cast<double>(c % 5) / 4 - 0.25);
    }
    return {{},
            Activation::relu(),
            Activation::leaky_relu(0.25),
            Activation::prelu(slopes),
            Activation::elu(1.5F),
            Activation::silu(),
            Activation::gelu(),
            Activation::gelu_tanh(),
            Activation::tanh(),
            Activation::sigmoid(),
            Activation::clamp(-1, 2)};
}

bool is_in_registers(const Activation &a) {
    using Kind = Activation::Kind;
    return a.kind == Kind::none || a.kind == Kind::relu || a.kind == Kind::leaky_relu || a.kind == Kind::prelu ||
           a.kind == Kind::clamp;
}

std::string name(const Activation &a) {
    return "activation " + std::to_string(static_cast<int>(a.kind));
}

// What to expect of a case with that activation, and a residual that may be empty.
Case with_epilogue(Case c, const Activation &activation, const std::vector<float> &residual) {
    const Shape &sizes = c.expected.sizes;
    const auto volume = static_cast<size_t>(sizes[2] * sizes[3] * sizes[4]), channels = static_cast<size_t>(sizes[1]);
    for (size_t i = 0; i < c.expected.values.size(); i++) {
        const double sum = c.expected.values[i] + (residual.empty() ? 0 : residual[i]);
        c.expected.values[i] = static_cast<double>(apply(activation, sum, i / volume % channels));
        c.expected.magnitudes[i] += std::abs(sum);
    }
    // Activations other than those that are computed in registers round; the steepest of all has a slope of 1.5.
    c.data = c.data == Data::integers && activation.kind != Activation::Kind::elu && activation.slopes.size() < 2 &&
                     std::abs(apply(activation, 0.5, 0) - 0.5) < 1e-9
                 ? Data::integers
                 : Data::reals;
    return c;
}

// A layer, its input, and what to expect of it with each activation, without and with a residual.
struct EpilogueProblem {
    struct Expected {
        Activation activation;
        Case alone, with_residual;
    };
    Case plain;
    std::vector<float> residuals;
    std::vector<Expected> expected;

    EpilogueProblem(const ConvTranspose3dOptions &options, const Shape &input_shape)
        : plain(options, input_shape, Data::reals, 1) {
        std::mt19937 random(7);
        residuals = make_data(element_count(plain.expected.sizes), plain.data, random);
        for (const Activation &activation : activations(options.out_channels)) {
            expected.push_back(
                {activation, with_epilogue(plain, activation, {}), with_epilogue(plain, activation, residuals)});
        }
    }
};

// Kernels compute some activations themselves, which are all checked. After a task of a kernel, a pass over its outputs
// computes the others, each in the same way: one is checked, and `turn` tells which.
void check_epilogues(const EpilogueProblem &problem, const Variant &variant, int64_t rows, size_t turn) {
    std::mt19937 random(7);
    const Case &plain = problem.plain;
    ConvTranspose3d layer = plain.layer();
    layer.set_variant(variant.name, variant.device == Device::cpu ? rows : 0);  // On a GPU there are no rows to choose.
    const Tensor input = plain.input_as(variant.layout);
    const Shape &sizes = plain.expected.sizes;
    std::vector<const EpilogueProblem::Expected *> checked, in_passes;
    for (const EpilogueProblem::Expected &e : problem.expected) {
        (is_in_registers(e.activation) ? checked : in_passes).push_back(&e);
    }
    checked.push_back(in_passes[turn % in_passes.size()]);
    for (const EpilogueProblem::Expected *each : checked) {
        const auto &[activation, alone, with_residual] = *each;
        layer.set_activation(activation);
        INFO(name(activation) << ", " << variant.name << ", rows " << rows << ": "
                              << describe(plain.options, plain.input_shape));
        Guarded output(sizes, variant.layout, random);
        layer.forward(input.view(), output.view());
        CHECK(mismatch(sizes, dense_copy(output.const_view()), alone) == "none");

        Guarded residual(sizes, variant.layout, random);
        copy_into(residual.view(), problem.residuals);
        layer.forward(input.view(), output.view(), residual.const_view());
        const std::vector<float> result = dense_copy(output.const_view());
        CHECK(mismatch(sizes, result, with_residual) == "none");
        CHECK(output.surroundings_intact());
        // The residual is the output itself.
        layer.forward(input.view(), residual.view(), residual.const_view());
        CHECK(same_bits(dense_copy(residual.const_view()), result));
        CHECK(residual.surroundings_intact());
    }
}

TEST_CASE("every variant computes residual and activation", "[epilogue]") {
    std::map<std::string, EpilogueProblem> problems;  // which many variants have in common
    size_t variants = 0;
    for (Layout layout : layouts) {
        for (const Variant &v : variants_here(layout)) {
            size_t turn = variants++;
            const auto check = [&](const ConvTranspose3dOptions &near, const Shape &extents, int64_t rows) {
                const ConvTranspose3dOptions options = fitted(near, v);
                const Shape input_shape{extents[0], options.in_channels, extents[1], extents[2], extents[3]};
                const auto found = problems.try_emplace(describe(options, input_shape), options, input_shape).first;
                check_epilogues(found->second, v, rows, turn);
                turn += 2;  // so that each layer meets each activation
            };
            check({4, 6, 3, {2, 1, 3}, {1, 2, 1}, 0, 2}, {2, 3, 4, 11}, 0);
            check({4, 38, {2, 3, 3}, {1, 2, 2}, 1, {0, 1, 1}}, {3, 2, 3, 5}, 1);
            check({2, 3, 3, {2, 3, 1}, 2, {1, 1, 0}, 1, with_bias, {3, 2, 3}}, {1, 3, 5, 9}, 2);
        }
    }
}

// The planner's choice, in place too, where threads share items or rows.
void check_planned_epilogues(const Case &plain, Layout layout, const Activation &activation) {
    std::mt19937 random(7);
    ConvTranspose3d layer = plain.layer();
    layer.set_activation(activation);
    const Tensor input = plain.input_as(layout);
    const Shape &sizes = plain.expected.sizes;
    const std::vector<float> residuals = make_data(element_count(sizes), plain.data, random);
    const Case expected = with_epilogue(plain, activation, residuals);
    for (const int threads : {1, 2, 5}) {
        set_num_threads(threads);
        Tensor output(sizes, layout);
        copy_into(output.view(), residuals);
        layer.forward(input.view(), output.view(), output.view());
        INFO(name(activation) << ", " << to_string(layout) << ", " << threads
                              << " threads: " << describe(plain.options, plain.input_shape));
        CHECK(mismatch(output, expected) == "none");
    }
}

TEST_CASE("groups whose channels two variants share get each activation once", "[epilogue]") {
    const int threads = num_threads();
    std::map<std::string, int> shared;  // by instruction set
    for (const Layout layout : layouts) {
        for (const int64_t outputs : {9, 18, 20, 25, 33, 36, 50, 66}) {
            for (const int64_t batch : {1, 6}) {
                ConvTranspose3dOptions options{6, 2 * outputs, {1, 3, 3}, {1, 2, 2}, {0, 1, 1}};
                options.groups = 2;
                const Case plain(options, {batch, 6, 1, 5, 17}, Data::reals, 1);
                for (const Machine &machine : machines) {
                    const ConvTranspose3d layer(options);
                    shared[machine.isa] += layer.plan(plain.input_shape, layout, {}, {}, machine).rest.empty() ? 0 : 1;
                }
                check_planned_epilogues(plain, layout, Activation::tanh());
                check_planned_epilogues(plain, layout, Activation::elu(1.5F));
            }
        }
    }
    set_num_threads(threads);
    for (const Machine &machine : machines) {
        INFO(machine.isa);
        CHECK((machine.isa == "baseline" || shared[machine.isa] > 0));
    }
}

// A layer that computes nothing but the activation.
ConvTranspose3d identity(const Activation &activation) {
    ConvTranspose3d layer(1, 1, 1, 1, 0, 0, 1, without_bias);
    layer.set_device(tested_device());
    const float one = 1;
    layer.set_weight(&one, layer.weight_shape());
    layer.set_activation(activation);
    return layer;
}

template<typename T>
std::vector<T> values_of(const Activation &activation, const std::vector<T> &arguments) {
    const Shape shape{1, 1, 1, 1, static_cast<int64_t>(arguments.size())};
    const Tensor values = identity(activation).forward(dense_view(arguments.data(), shape));
    return {values.data<T>(), values.data<T>() + arguments.size()};
}

// The bound is relative. Far to the left GELU is tiny, and its argument's rounding counts more there.
template<typename T>
void check_exactness(double bound) {
    std::vector<T> arguments;
    for (int i = -12000; i <= 12000; i++) {
        arguments.push_back(static_cast<T>(i) / 1000);
        arguments.push_back(std::ldexp(static_cast<T>(i), -30));
    }
    const double least = 1e8 * std::numeric_limits<T>::min();
    for (const Activation &activation : activations(1)) {
        const std::vector<T> values = values_of(activation, arguments);
        double worst = 0, at = 0;
        for (size_t i = 0; i < values.size(); i++) {
            const long double want = apply(activation, arguments[i], 0);
            const auto error = static_cast<double>(std::abs(values[i] - want) / (std::abs(want) + least));
            if (error > worst) {
                worst = error;
                at = arguments[i];
            }
        }
        using Kind = Activation::Kind;
        const bool is_gelu = activation.kind == Kind::gelu || activation.kind == Kind::gelu_tanh;
        INFO(name(activation) << " of " << to_string(dtype_of<T>()) << " at " << at);
        CHECK(worst < bound * (is_gelu ? 20 : 1));
    }
}

TEST_CASE("activations are exact to a few units in the last place", "[epilogue]") {
    check_exactness<float>(1e-6);
    check_exactness<double>(2e-15);
}

TEST_CASE("activations of NaN, infinities and zero are PyTorch's", "[epilogue]") {
    struct {
        Activation activation;
        float of_infinity, of_minus_infinity, of_zero;
    } const expected[] = {{Activation::relu(), infinity, 0, 0},   {Activation::leaky_relu(0.5), infinity, -infinity, 0},
                          {Activation::elu(2), infinity, -2, 0},  {Activation::silu(), infinity, nan, 0},
                          {Activation::gelu(), infinity, nan, 0}, {Activation::gelu_tanh(), infinity, nan, 0},
                          {Activation::tanh(), 1, -1, 0},         {Activation::sigmoid(), 1, 0, 0.5F},
                          {Activation::clamp(-1, 2), 2, -1, 0}};
    const auto same = [](float a, float b) { return std::isnan(a) ? std::isnan(b) : a == b; };
    for (const auto &e : expected) {
        const std::vector<float> values = values_of<float>(e.activation, {nan, infinity, -infinity, 0});
        INFO(name(e.activation));
        CHECK(std::isnan(values[0]));
        CHECK(same(values[1], e.of_infinity));
        CHECK(same(values[2], e.of_minus_infinity));
        CHECK(same(values[3], e.of_zero));
    }
}

TEST_CASE("a batch normalization is folded into weights and bias", "[epilogue]") {
    const BatchNorm norm{
        {0.5F, -1, 2, 0, 1, 3}, {1, 0.25F, 4, 2, 0, 9}, {1, 2, -1, 0.5F, 1, 3}, {0, 1, 2, 3, 4, 5}, 1e-3};
    for (const bool bias : {true, false}) {
        Case c({4, 6, 3, 2, 1, 1, 2, bias}, {2, 4, 3, 4, 5}, Data::reals, 1);
        const ConvTranspose3d folded = fold_batch_norm(c.layer(), norm);
        const auto volume = static_cast<size_t>(c.expected.sizes[2] * c.expected.sizes[3] * c.expected.sizes[4]);
        for (size_t i = 0; i < c.expected.values.size(); i++) {
            const size_t channel = i / volume % 6;
            const double scale = norm.weight[channel] / std::sqrt(norm.running_var[channel] + norm.eps);
            c.expected.values[i] = (c.expected.values[i] - norm.running_mean[channel]) * scale + norm.bias[channel];
            c.expected.magnitudes[i] = (c.expected.magnitudes[i] + 3) * std::abs(scale) + 5;
        }
        CHECK(mismatch(forward(folded, c, Layout::ncdhw), c) == "none");
    }
}

TEST_CASE("batch normalizations that do not fit are refused", "[epilogue][errors]") {
    ConvTranspose3d layer(2, 2, 1);
    const auto error = [&](const BatchNorm &norm) {
        return error_of<InvalidArgument>([&] { fold_batch_norm(layer, norm); });
    };
    CHECK(error({{1}, {1, 1}, {}, {}}) == "running_mean should contain 2 elements not 1");
    CHECK(error({{1, 1}, {1, 1}, {1, 1, 1}, {}}) == "weight should contain 2 elements not 3");
    CHECK(error({{1, 1}, {1, -1}, {}, {}}).find("running_var + eps must be positive") == 0);
    layer.set_activation(Activation::relu());
    CHECK(error({{1, 1}, {1, 1}, {}, {}}).find("a normalization cannot be folded") == 0);
}

TEST_CASE("activations that do not fit are refused", "[epilogue][errors]") {
    ConvTranspose3d layer(2, 6, 3);
    const auto error = [&](const Activation &a) { return error_of<InvalidArgument>([&] { layer.set_activation(a); }); };
    CHECK(error(Activation::prelu({1, 2, 3})) ==
          "Mismatch of parameter numbers and input channel size. Found parameter numbers = 3 and channel size = 6.");
    CHECK(error(Activation::prelu({})).find("parameter numbers = 0") != std::string::npos);
    CHECK(error({Activation::Kind::leaky_relu, {1, 2}}) == "leaky_relu has one slope, but got 2");
    CHECK(error({Activation::Kind::relu, {1}}) == "slopes are for leaky_relu and prelu, but another activation got 1");
    CHECK(error(Activation::clamp(2, 1)).find("clamp needs a low bound") == 0);
    CHECK(error(Activation::clamp(nan, 1)).find("clamp needs a low bound") == 0);
    CHECK(layer.activation().kind == Activation::Kind::none);
    layer.set_activation(Activation::prelu({0.5F}));
    CHECK(layer.activation().slopes.size() == 1);
}

TEST_CASE("residuals that do not fit are refused", "[epilogue][errors]") {
    const Case c({2, 6, 3}, {1, 2, 3, 3, 3}, Data::integers, 1);
    const ConvTranspose3d layer = c.layer();
    const Tensor input = c.input_as(Layout::ncdhw);
    Tensor output(c.expected.sizes), other({1, 6, 5, 5, 4});
    const auto error = [&](const View<const float> &residual) {
        return error_of<InvalidArgument>([&] { layer.forward(input.view(), output.view(), residual); });
    };
    CHECK(error(other.view()) == "expected a residual of the output's size [1, 6, 5, 5, 5], but got [1, 6, 5, 5, 4]");
    View<const float> shifted = output.view();
    shifted.data++;
    CHECK(error(shifted) == "residual and output overlap, and are not the same");
    View<const float> turned = output.view();
    turned.data += output.element_count() - 1;
    for (int64_t &stride : turned.strides) {
        stride = -stride;
    }
    CHECK(error(turned) == "residual and output overlap, and are not the same");
    CHECK(error({nullptr, c.expected.sizes, output.view().strides}) == "residual is null");
}

}  // namespace
}  // namespace unstride::tests
