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
    f16,   // torch.float16, with 5 bits of exponent and 10 of mantissa
    bf16,  // torch.bfloat16, with 8 bits of exponent and 7 of mantissa
};

const char *to_string(DType dtype);

// Returns the size of an element in bytes.
int64_t size_of(DType dtype);

// An element of type f16. Its bits are those of any other library's type for f16, so that pointers can be cast. A float
// is rounded to the nearest f16, with ties to even.
struct Half {
    uint16_t bits = 0;

    Half() = default;
    explicit Half(float value);
    explicit operator float() const;
};

// An element of type bf16. Its bits are those of any other library's type for bf16. A float is rounded to the nearest
// bf16, with ties to even.
struct BFloat16 {
    uint16_t bits = 0;

    BFloat16() = default;
    explicit BFloat16(float value);
    explicit operator float() const;
};

// Returns the DType of elements of the C++ type T, which is float, double, Half or BFloat16.
template<typename T>
constexpr DType dtype_of() {
    static_assert(std::is_same_v<T, float> || std::is_same_v<T, double> || std::is_same_v<T, Half> ||
                  std::is_same_v<T, BFloat16>);
    if constexpr (std::is_same_v<T, float>) {
        return DType::f32;
    } else if constexpr (std::is_same_v<T, double>) {
        return DType::f64;
    } else if constexpr (std::is_same_v<T, Half>) {
        return DType::f16;
    } else {
        return DType::bf16;
    }
}

// Calls a generic function for a type that is known at run time. The function gets a null pointer, from whose type it
// can take the C++ type of the elements:
//
//   with_type(dtype, [](auto *null) { using T = std::remove_pointer_t<decltype(null)>; ... });
template<typename Function>
auto with_type(DType dtype, const Function &function) {
    switch (dtype) {
    case DType::f64:
        return function(static_cast<double *>(nullptr));
    case DType::f16:
        return function(static_cast<Half *>(nullptr));
    case DType::bf16:
        return function(static_cast<BFloat16 *>(nullptr));
    case DType::f32:
        break;
    }
    return function(static_cast<float *>(nullptr));
}

// The types of a call's arrays. Either both are the same, or the output is f32 and the input f16 or bf16.
struct Types {
    DType input = DType::f32;
    DType output = DType::f32;  // type of output and residual

    constexpr Types() = default;
    constexpr Types(DType both)  // NOLINT(google-explicit-constructor)
        : input(both), output(both) {
    }
    constexpr Types(DType of_input, DType of_output) : input(of_input), output(of_output) {
    }

    // The type in which a call adds up its outputs before they are rounded to the output's type.
    DType sums() const {
        return input == DType::f64 ? DType::f64 : DType::f32;
    }
    bool operator==(const Types &other) const {
        return input == other.input && output == other.output;
    }
};

// Returns all pairs of types that a call may have.
const std::array<Types, 6> &supported_types();

// Convert types to a name and back. The name is that of the one type, such as "bf16", or that of the input's and the
// output's type, such as "bf16-f32". parse_types throws InvalidArgument for names of types that are not supported.
std::string to_string(const Types &types);
Types parse_types(const std::string &text);

}  // namespace unstride

#endif
