// Arrays whose item has 2^31 elements. They take 5 GiB of memory, so that only `make test-large` runs this.

#include <cstring>

#include "support/catch_compat.h"
#include "support/harness.h"

namespace unstride::tests {
namespace {

// A number that depends on the place, small and mostly 0, so that all sums here are exact.
constexpr int64_t apart = 61;  // places that are not 0
float number_at(int64_t place) {
    const auto hash = static_cast<uint64_t>(place) * 0x9e3779b97f4a7c15U >> 40U;
    return place % apart == 0 ? static_cast<float>(hash % 5) - 2 : 0;
}

void fill(Tensor &tensor) {
    Half *const data = tensor.data<Half>();
    std::memset(tensor.data<void>(), 0, static_cast<size_t>(tensor.element_count()) * sizeof(Half));
    for (int64_t i = 0; i < tensor.element_count(); i += apart) {
        data[i] = Half(number_at(i));
    }
}

TEST_CASE("an item of 2^31 elements", "[.][large]") {
    // The kernel is as large as the stride: an output has one input and one tap, and an input has eight outputs.
    ConvTranspose3d layer(1, 1, 2, 2);
    const float weight[8] = {1, 2, 3, 4, -1, -2, -3, -4}, bias = 1;
    layer.set_weight(weight, layer.weight_shape());
    layer.set_bias(&bias, layer.bias_shape());
    constexpr int64_t depth = 256, height = 1024, width = 1024, outputs = int64_t{1} << 31;
    Tensor input({1, 1, depth, height, width}, Layout::ncdhw, 3, DType::f16),
        output({1, 1, 2 * depth, 2 * height, 2 * width}, Layout::ncdhw, 3, DType::f16);
    REQUIRE(output.element_count() == outputs);
    const auto place_of_tap = [](int64_t i, int tap) {
        const int64_t x = 2 * (i % width) + tap % 2, y = 2 * (i / width % height) + tap / 2 % 2,
                      z = 2 * (i / width / height) + tap / 4;
        return (z * 2 * height + y) * 2 * width + x;
    };
    // Both ends, and places that are spread between.
    std::vector<int64_t> places = {0, 1, depth * height * width - 1};
    for (int64_t i = 0; i < depth * height * width; i += 9973) {
        places.push_back(i);
    }

    fill(input);
    layer.forward(input.view<void>(), output.view<void>());
    int64_t wrong = 0;
    for (const int64_t i : places) {
        for (int tap = 0; tap < 8; tap++) {
            const auto got = static_cast<float>(output.data<Half>()[place_of_tap(i, tap)]);
            wrong += got == number_at(i) * weight[tap] + bias ? 0 : 1;
        }
    }
    CHECK(wrong == 0);

    Tensor &grad_output = output;
    fill(grad_output);
    double sum = 0;
    std::vector<double> products(8, 0);
    for (int64_t i = 0; i < outputs; i += apart) {
        sum += number_at(i);
    }
    for (int64_t i = 0; i < input.element_count(); i += apart) {
        for (int tap = 0; tap < 8; tap++) {
            products[static_cast<size_t>(tap)] += number_at(i) * number_at(place_of_tap(i, tap));
        }
    }
    float grad_weight[8], grad_bias = 0;
    layer.weight_gradient(input.view<void>(), grad_output.view<void>(),
                          View<float>{grad_weight, layer.weight_shape(), {8, 8, 4, 2, 1}});
    layer.bias_gradient(grad_output.view<void>(), View<float>{&grad_bias, {1}, {1}});
    for (size_t tap = 0; tap < 8; tap++) {
        CHECK(grad_weight[tap] == products[tap]);
    }
    CHECK(grad_bias == sum);

    layer.input_gradient(grad_output.view<void>(), input.view<void>());
    wrong = 0;
    for (const int64_t i : places) {
        float expected = 0;
        for (int tap = 0; tap < 8; tap++) {
            expected += weight[tap] * number_at(place_of_tap(i, tap));
        }
        wrong += static_cast<float>(input.data<Half>()[i]) == expected ? 0 : 1;
    }
    CHECK(wrong == 0);
}

}  // namespace
}  // namespace unstride::tests
