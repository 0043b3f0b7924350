#ifndef UNSTRIDE_DTYPE_H
#define UNSTRIDE_DTYPE_H

#include <array>
#include <cstdint>
#include <string>
#include <type_traits>

namespace unstride {

// The type of an array's elements.
enum class DType {
    f32,
    f64,
    f16,   // 5 bits of exponent, 10 of mantissa: torch.float16
    bf16,  // 8 bits of exponent, 7 of mantissa: torch.bfloat16
};

const char *to_string(DType dtype);

int64_t size_of(DType dtype);  // bytes

// The bits of an f16, the same as in any other library's type for it. From a float they are rounded to nearest, ties to
// even.
struct Half {
    uint16_t bits = 0;

    Half() = default;
    explicit Half(float value);
    explicit operator float() const;
};

// The bits of a bf16, likewise.
struct BFloat16 {
    uint16_t bits = 0;

    BFloat16() = default;
    explicit BFloat16(float value);
    explicit operator float() const;
};

// Of float, double, Half and BFloat16.
template<typename T>
constexpr DType dtype_of() {
    static_assert(std::is_same_v<T, float> || std::is_same_v<T, double> || std::is_same_v<T, Half> ||
                  std::is_same_v<T, BFloat16>);
    return std::is_same_v<T, float>    ? DType::f32
           : std::is_same_v<T, double> ? DType::f64
           : std::is_same_v<T, Half>   ? DType::f16
                                       : DType::bf16;
}

// Calls a function with a null pointer to elements of that type, whose type tells it: with_type(dtype, [](auto *null) {
// ... }).
template<typename Function>
auto with_type(DType dtype, const Function &function) {
    switch (dtype) {
    case DType::f64:
        return function(static_cast<double *>(nullptr));
    case DType::f16:
        return function(static_cast<Half *>(nullptr));
    case DType::bf16:
        return function(static_cast<BFloat16 *>(nullptr));
    default:
        return function(static_cast<float *>(nullptr));
    }
}

// Those of a call: of its input, and of its output and residual. Either both are the same, or the output is f32 and the
// input f16 or bf16. Sums are f32, or f64 if all is.
struct Types {
    DType input = DType::f32, output = DType::f32;

    constexpr Types() = default;
    constexpr Types(DType both)  // NOLINT(google-explicit-constructor)
        : input(both), output(both) {
    }
    constexpr Types(DType of_input, DType of_output) : input(of_input), output(of_output) {
    }

    DType sums() const {
        return input == DType::f64 ? DType::f64 : DType::f32;
    }
    bool operator==(const Types &other) const {
        return input == other.input && output == other.output;
    }
};

// All that there are.
const std::array<Types, 6> &supported_types();

// "bf16", or "bf16-f32" if the output has another type; and back. Throws InvalidArgument for those that are not
// supported.
std::string to_string(const Types &types);
Types parse_types(const std::string &text);

}  // namespace unstride

#endif
