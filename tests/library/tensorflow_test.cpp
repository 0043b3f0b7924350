// Layers of TensorFlow, by its own tests.

#include <limits>

#include "support/catch_compat.h"
#include "support/errors.h"
#include "support/framework_layers.h"

namespace unstride::tests {
namespace {

constexpr int64_t huge = std::numeric_limits<int64_t>::max();

template<typename Extents>
void check_ones_of_tensorflow(const Extents &input, const Extents &same, const Extents &valid) {
    for (const bool is_same : {true, false}) {
        const Extents &output = is_same ? same : valid;
        BasicTensorFlowConvTranspose<Extents> arguments;
        arguments.kernel_size = 3;
        arguments.strides = 2;
        arguments.padding = is_same ? "SAME" : "VALID";
        const Shape space = numbers(output);
        std::vector<float> expected;
        for (int64_t i = 0; i < 2 * element_count(space); i++) {
            int64_t taps = 3, rest = i;
            for (auto size = space.rbegin(); size != space.rend(); ++size) {
                const int64_t at = rest % *size;
                taps *= at % 2 == 0 && at > 0 && at < *size - 1 ? 2 : 1;
                rest /= *size;
            }
            expected.push_back(static_cast<float>(taps));
        }
        check_values(from_tensorflow(arguments, 3, 2, without_bias, input), input,
                     ones(3 * element_count(numbers(input))), ones(3 * 2 * 27), output, expected);
    }
}

// In tensorflow/python/kernel_tests/nn_ops these are testConv3DTransposeSame and testConv3DTransposeValid of
// conv3d_transpose_test.py, and those of conv2d_transpose_test.py and conv1d_transpose_test.py.
TEST_CASE("tests of TensorFlow", "[frameworks]") {
    check_ones_of_tensorflow<Triple>({5, 6, 4}, {10, 12, 8}, {11, 13, 9});
    check_ones_of_tensorflow<Pair>({6, 4}, {12, 8}, {13, 9});
    check_ones_of_tensorflow<int64_t>(4, 8, 9);
}

template<typename Extents>
void check_paddings_of_tensorflow() {
    using Arguments = BasicTensorFlowConvTranspose<Extents>;
    const auto size_and_padding = [](const Arguments &arguments) {
        const ConvTransposeOptions<Extents> o = from_tensorflow(arguments, 4, 6, with_bias, 5);
        const Shape space = numbers(Extents(5)), begin = numbers(o.padding), end = numbers(*o.padding_end);
        const Shape output = BasicConvTranspose<Extents>(o).output_shape(sizes(1, 4, space));
        CHECK(begin == Shape(space.size(), begin[0]));
        CHECK(end == Shape(space.size(), end[0]));
        CHECK(output == sizes(1, 6, Shape(space.size(), output[2])));
        return Shape{output[2], begin[0], end[0]};
    };
    CHECK(size_and_padding({3, 2, "SAME"}) == Shape{10, 0, 1});
    CHECK(size_and_padding({4, 2, "same"}) == Shape{10, 1, 1});
    CHECK(size_and_padding({5, 2, "SAME"}) == Shape{10, 1, 2});
    CHECK(size_and_padding({3, 1, "SAME", 2}) == Shape{5, 2, 2});
    CHECK(size_and_padding({1, 3, "SAME"}) == Shape{15, 0, -2});
    CHECK(size_and_padding({3, 2, "VALID"}) == Shape{11, 0, 0});
    CHECK(size_and_padding({1, 3, "valid"}) == Shape{15, 0, -2});
    CHECK(size_and_padding({3, 2, "SAME", 1, 9}) == Shape{9, 1, 1});
    CHECK(size_and_padding({3, 2, "VALID", 1, 12}) == Shape{12, 0, -1});
}

TEST_CASE("paddings of TensorFlow", "[frameworks]") {
    check_paddings_of_tensorflow<Triple>();
    check_paddings_of_tensorflow<Pair>();
    check_paddings_of_tensorflow<int64_t>();
}

TEST_CASE("arguments that TensorFlow refuses", "[frameworks][errors]") {
    const auto error = [](const TensorFlowConvTranspose &arguments, const Triple &input = 5) {
        return error_of<InvalidArgument>([&] { from_tensorflow(arguments, 4, 6, with_bias, input); });
    };
    CHECK(error({3, 2, "FULL"}) == "padding must be either SAME or VALID, but got FULL");
    CHECK(error({3, 2, "SAME"}, 0) == "input_size must be positive, but got (0 x 0 x 0)");
    CHECK(error({3, 2, "SAME", 1, Triple(10, 10, -1)}) == "output_size must be positive, but got (10 x 10 x -1)");
    CHECK(error({3, 2, "SAME", 1, 11}) ==
          "an output of (11 x 11 x 11) does not fit: its convolution has size (6 x 6 x 6), and the input (5 x 5 x 5)");
    CHECK(error({3, 2, "SAME", 1, 8}).find("an output of (8 x 8 x 8) does not fit") == 0);
    CHECK(error({3, 2, "VALID", 1, 13}).find("an output of (13 x 13 x 13) does not fit") == 0);
    CHECK(error({3, 2, "VALID", 1, 2}) ==
          "an output of (2 x 2 x 2) does not fit: its convolution has size (0 x 0 x 0), and the input (5 x 5 x 5)");
    CHECK(error({3, 2, "SAME", 1, huge}).find("does not fit") != std::string::npos);
    CHECK(error({3, 0, "SAME"}) == "non-positive stride is not supported");
    CHECK(error({3, 2, "SAME"}, huge) == "sizes overflow 64-bit arithmetic");
}

}  // namespace
}  // namespace unstride::tests
