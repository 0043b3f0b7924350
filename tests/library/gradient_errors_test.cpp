// Arguments that a gradient cannot take. They are refused, with a text that names the array, before anything is
// written.

#include <algorithm>
#include <limits>
#include <utility>

#include "support/catch_compat.h"
#include "support/errors.h"
#include "support/harness.h"

namespace unstride::tests {
namespace {

constexpr int64_t far = int64_t{1} << 40;
constexpr size_t memory_size = 4096;

// A small layer with the arrays of all three gradients, which a test spoils in one respect.
struct Gradients {
    ConvTranspose3d layer{3, 6, 3, 2, 1, 1, 3};
    std::vector<float> input_memory = std::vector<float>(memory_size, 1.f),
                       output_memory = std::vector<float>(memory_size, 2.f),
                       written_memory = std::vector<float>(memory_size, 7.f);
    View<const void> input = dense_view<const float>(input_memory.data(), {2, 3, 2, 3, 4});
    View<const void> grad_output = dense_view<const float>(output_memory.data(), {2, 6, 4, 6, 8});
    View<void> grad_input = dense_view(written_memory.data(), {2, 3, 2, 3, 4});
    View<void> grad_weight = dense_view(written_memory.data(), layer.weight_shape());
    View<void> grad_bias{written_memory.data(), {6}, {1}};

    // What each gradient ends with.
    std::string of_input() const {
        return untouched(error_of<InvalidArgument>([&] { layer.input_gradient(grad_output, grad_input); }));
    }
    std::string of_weight() const {
        return untouched(error_of<InvalidArgument>([&] { layer.weight_gradient(input, grad_output, grad_weight); }));
    }
    std::string of_bias() const {
        return untouched(error_of<InvalidArgument>([&] { layer.bias_gradient(grad_output, grad_bias); }));
    }

private:
    std::string untouched(const std::string &text) const {
        const bool same = input_memory == std::vector<float>(memory_size, 1.f) &&
                          output_memory == std::vector<float>(memory_size, 2.f) &&
                          written_memory == std::vector<float>(memory_size, 7.f);
        return same ? text : text + ", and something was written";
    }
};

TEST_CASE("numbers of dimensions that disagree", "[gradients][errors]") {
    // PyTorch's text of convolution_backward.
    const std::string differ = "Expected input and grad_output to have the same number of dimensions, but got: 5 and 4";
    Gradients unbatched;
    unbatched.grad_output = dense_view<const float>(unbatched.output_memory.data(), {6, 4, 6, 8});
    CHECK(unbatched.of_input() == differ);
    CHECK(unbatched.of_weight() == differ);

    Gradients flat;
    flat.grad_output = dense_view<const float>(flat.output_memory.data(), {6, 4, 8}, Layout::ncdhw, 1);
    flat.grad_input = dense_view(flat.written_memory.data(), {3, 2, 4}, Layout::ncdhw, 1);
    flat.input = dense_view<const float>(flat.input_memory.data(), {3, 2, 4}, Layout::ncdhw, 1);
    const std::string rank =
        "Expected 4D (unbatched) or 5D (batched) input to conv_transpose3d, but got input of size: [3, 2, 4]";
    CHECK(flat.of_input() == rank);
    CHECK(flat.of_weight() == rank);
    CHECK(flat.of_bias() == "expected 4D (unbatched) or 5D (batched) grad_output, but got size [6, 4, 8]");
}

TEST_CASE("a grad_output of the wrong shape", "[gradients][errors]") {
    const auto with = [](const Shape &sizes) {
        Gradients g;
        g.grad_output = dense_view<const float>(g.output_memory.data(), sizes);
        return g;
    };
    const auto of_both = [](const Gradients &g) {
        CHECK(g.of_input() == g.of_weight());
        return g.of_input();
    };
    CHECK(of_both(with({2, 6, 4, 6, 9})) ==
          "expected grad_output of size [2, 6, 3, 5, 7] to [2, 6, 4, 6, 8], but got [2, 6, 4, 6, 9]");
    CHECK(of_both(with({2, 6, 2, 6, 8})) ==
          "expected grad_output of size [2, 6, 3, 5, 7] to [2, 6, 4, 6, 8], but got [2, 6, 2, 6, 8]");
    CHECK(of_both(with({2, 5, 4, 6, 8})) == "expected grad_output of size [2, 6, 4, 6, 8], but got [2, 5, 4, 6, 8]");
    CHECK(of_both(with({1, 6, 4, 6, 8})) == "expected grad_output of size [2, 6, 4, 6, 8], but got [1, 6, 4, 6, 8]");
    CHECK(of_both(with({2, 6, 4, 6, 0})) ==
          "expected grad_output of size [2, 6, 3, 5, 7] to [2, 6, 4, 6, 8], but got [2, 6, 4, 6, 0]");

    CHECK(with({2, 5, 4, 6, 8}).of_bias() == "expected grad_output to have 6 channels, but got size [2, 5, 4, 6, 8]");
    CHECK(with({5, 4, 6, 8}).of_bias() == "expected grad_output to have 6 channels, but got size [5, 4, 6, 8]");
    CHECK(with({2, 6, 0, 6, 8}).of_bias() ==
          "only the batch of grad_output may be empty, but got size [2, 6, 0, 6, 8]");
    Gradients huge;
    huge.grad_output =
        View<const void>(huge.output_memory.data(), DType::f32, {1, 6, 1, 1, (int64_t{1} << 29) + 1}, {0, 0, 0, 0, 1});
    CHECK(huge.of_bias().find("sizes of more than 2^29 along one dimension are not supported") == 0);
}

TEST_CASE("an input or grad_input that the layer cannot have", "[gradients][errors]") {
    Gradients channels;
    channels.input = dense_view<const float>(channels.input_memory.data(), {2, 4, 2, 3, 4});
    channels.grad_input = dense_view(channels.written_memory.data(), {2, 4, 2, 3, 4});
    const std::string expected = "Given transposed=1, weight of size [3, 2, 3, 3, 3], expected input[2, 4, 2, 3, 4] to "
                                 "have 3 channels, but got 4 channels instead";
    CHECK(channels.of_input() == expected);
    CHECK(channels.of_weight() == expected);

    // Its outputs are all cut off.
    Gradients g;
    const ConvTranspose3d cut(3, 6, 3, 2, 9, 0, 3);
    CHECK(error_of<InvalidArgument>([&] {
              cut.input_gradient(g.grad_output, g.grad_input);
          }).find("expected grad_output of size [2, 6, -13, ") == 0);
}

TEST_CASE("gradients of parameters of the wrong shape", "[gradients][errors]") {
    Gradients kernel, transposed, long_bias, matrix;
    kernel.grad_weight = dense_view(kernel.written_memory.data(), {3, 2, 3, 3, 2});
    CHECK(kernel.of_weight() == "expected grad_weight of size [3, 2, 3, 3, 3], but got [3, 2, 3, 3, 2]");
    transposed.grad_weight = dense_view(transposed.written_memory.data(), {2, 3, 3, 3, 3});
    CHECK(transposed.of_weight() == "expected grad_weight of size [3, 2, 3, 3, 3], but got [2, 3, 3, 3, 3]");
    long_bias.grad_bias.sizes = {7};
    CHECK(long_bias.of_bias() == "expected grad_bias of size [6], but got [7]");
    matrix.grad_bias = View<void>(matrix.written_memory.data(), DType::f32, {1, 6}, {6, 1});
    CHECK(matrix.of_bias() == "expected grad_bias of size [6], but got [1, 6]");
}

TEST_CASE("null and misaligned memory of gradients", "[gradients][errors]") {
    const auto odd = [](const std::vector<float> &memory) {
        return static_cast<const void *>(reinterpret_cast<const char *>(memory.data()) + 2);
    };
    Gradients none;
    none.grad_output.data = nullptr;
    CHECK(none.of_input() == "grad_output is null");
    CHECK(none.of_weight() == "grad_output is null");
    CHECK(none.of_bias() == "grad_output is null");
    none = Gradients();
    none.input.data = none.grad_input.data = none.grad_weight.data = none.grad_bias.data = nullptr;
    none.grad_output = dense_view<const float>(none.output_memory.data(), {2, 6, 4, 6, 8});
    CHECK(none.of_input() == "grad_input is null");
    CHECK(none.of_weight() == "input is null");
    CHECK(none.of_bias() == "grad_bias is null");
    none.input = dense_view<const float>(none.input_memory.data(), {2, 3, 2, 3, 4});
    CHECK(none.of_weight() == "grad_weight is null");

    Gradients g;
    g.grad_output.data = odd(g.output_memory);
    CHECK(g.of_input() == "grad_output is not aligned to 4 bytes");
    CHECK(g.of_bias() == "grad_output is not aligned to 4 bytes");
    Gradients parameters;
    parameters.grad_weight.data = parameters.grad_bias.data = const_cast<void *>(odd(parameters.written_memory));
    CHECK(parameters.of_weight() == "grad_weight is not aligned to 4 bytes");
    CHECK(parameters.of_bias() == "grad_bias is not aligned to 4 bytes");
}

TEST_CASE("types of gradients that do not fit", "[gradients][errors]") {
    const ConvTranspose3d layer(1, 1, 1);
    const Shape shape{1, 1, 1, 1, 2};
    const Tensor doubles(shape, Layout::ncdhw, 3, DType::f64), halves(shape, Layout::ncdhw, 3, DType::f16),
        floats(shape);
    Tensor to(shape), to_half(shape, Layout::ncdhw, 3, DType::f16), weight({1, 1, 1, 1, 1}),
        weight_in_bf16({1, 1, 1, 1, 1}, Layout::ncdhw, 3, DType::bf16);
    Half bias_memory[1];
    const View<void> bias(bias_memory, {1}, {1});
    CHECK(error_of<InvalidArgument>([&] { layer.input_gradient(doubles.view<void>(), to.view()); }) ==
          "grad_output of f64 and grad_input of f32 are not supported: either both have the same type, or grad_output "
          "has f16 or bf16 and grad_input f32");
    CHECK(error_of<InvalidArgument>([&] {
              layer.input_gradient(floats.view(), to_half.view<void>());
          }).find("grad_output of f32 and grad_input of f16 are not supported") == 0);
    CHECK(error_of<InvalidArgument>([&] {
              layer.weight_gradient(halves.view<void>(), floats.view(), weight.view());
          }) == "input and grad_output must have the same type, but got f16 and f32");
    CHECK(error_of<InvalidArgument>(
              [&] { layer.weight_gradient(halves.view<void>(), halves.view<void>(), weight_in_bf16.view<void>()); }) ==
          "input of f16 and grad_weight of bf16 are not supported: either both have the same type, or input has f16 or "
          "bf16 and grad_weight f32");
    CHECK(error_of<InvalidArgument>([&] { layer.bias_gradient(floats.view(), bias); }) ==
          "grad_output of f32 and grad_bias of f16 are not supported: either both have the same type, or grad_output "
          "has f16 or bf16 and grad_bias f32");
}

TEST_CASE("gradients' strides that cannot be", "[gradients][errors]") {
    Gradients missing, distant;
    missing.grad_output.strides.pop_back();
    missing.grad_bias.strides.clear();
    CHECK(missing.of_input() == "grad_output has 5 sizes, but 4 strides");
    missing.grad_output.strides.push_back(1);
    CHECK(missing.of_bias() == "grad_bias has 1 sizes, but 0 strides");
    distant.grad_input.strides[2] = std::numeric_limits<int64_t>::min();
    CHECK(distant.of_input() == "sizes overflow 64-bit arithmetic");
    distant.grad_weight.strides[0] = std::numeric_limits<int64_t>::max();
    CHECK(distant.of_weight() == "sizes overflow 64-bit arithmetic");
}

TEST_CASE("gradients whose elements share memory", "[gradients][errors]") {
    Gradients rows, taps, one_sum;
    rows.grad_input.strides[3] = 3;
    CHECK(rows.of_input() == "elements of grad_input share memory: size [2, 3, 2, 3, 4], strides [72, 24, 12, 3, 1]");
    taps.grad_weight.strides[0] = 0;
    CHECK(taps.of_weight() == "elements of grad_weight share memory: size [3, 2, 3, 3, 3], strides [0, 27, 9, 3, 1]");
    one_sum.grad_bias.strides[0] = 0;
    CHECK(one_sum.of_bias() == "elements of grad_bias share memory: size [6], strides [0]");
}

TEST_CASE("gradients that overlap what is read", "[gradients][errors]") {
    Gradients of_input, of_input_at_end, in_input, in_output, bias;
    of_input.grad_output.data = of_input.written_memory.data() + 100;
    CHECK(of_input.of_input() == "grad_output and grad_input overlap");
    of_input_at_end.grad_output.data = of_input_at_end.written_memory.data() + 2 * 3 * 2 * 3 * 4 - 1;
    CHECK(of_input_at_end.of_input() == "grad_output and grad_input overlap");
    in_input.input.data = in_input.written_memory.data() + 3 * 2 * 27 - 1;
    CHECK(in_input.of_weight() == "input and grad_weight overlap");
    in_output.grad_output.data = in_output.written_memory.data();
    CHECK(in_output.of_weight() == "grad_output and grad_weight overlap");
    bias.grad_output.data = bias.written_memory.data();
    bias.grad_bias.data = bias.written_memory.data() + 2 * 6 * 4 * 6 * 8 - 1;
    CHECK(bias.of_bias() == "grad_output and grad_bias overlap");
}

TEST_CASE("arrays of a layer of another number of dimensions", "[gradients][errors]") {
    // Made as (N, C, H, W), which a layer of three dimensions would take for (C, D, H, W).
    const ConvTranspose3d layer(3, 3, 1);
    Tensor gradient({3, 3, 4, 5}, Layout::ndhwc, 2), input({3, 3, 4, 5}, Layout::ndhwc, 2);
    const std::string expected = "of size [3, 3, 4, 5] was made for 2 dimensions of space";
    CHECK(error_of<InvalidArgument>([&] {
              layer.input_gradient(gradient.view(), input.view());
          }).find("grad_output " + expected) == 0);
    float bias[3];
    CHECK(error_of<InvalidArgument>([&] {
              layer.bias_gradient(gradient.view(), View<float>{bias, {3}, {1}});
          }).find("grad_output " + expected) == 0);
}

}  // namespace
}  // namespace unstride::tests
