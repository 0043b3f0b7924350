#ifndef UNSTRIDE_BENCH_ELEMENTS_H
#define UNSTRIDE_BENCH_ELEMENTS_H

#include <type_traits>

#include "unstride/tensor.h"

namespace unstride::bench {

// Calls a function with a pointer to a tensor's elements, which has their type; returns what the function returns.
template<typename AnyTensor, typename Function>
auto with_elements(AnyTensor &tensor, const Function &function) {
    return with_type(tensor.dtype(), [&](auto *null) {
        return function(tensor.template data<std::remove_pointer_t<decltype(null)>>());
    });
}

// Rounds a number to another type, by way of f32: f16 and bf16 convert from and to no other.
template<typename To, typename From>
To rounded(From number) {
    if constexpr (std::is_same_v<To, double> && std::is_same_v<From, double>) {
        return number;
    } else {
        return static_cast<To>(static_cast<float>(number));
    }
}

// Returns a tensor with the same sizes and layout, whose numbers are rounded to another type.
Tensor converted(const Tensor &tensor, DType dtype);

// Returns the largest difference of what was found from what was expected, over the largest magnitude that was
// expected. Both tensors have the same sizes and layout. The result is NaN if one of the numbers found is.
double difference(const Tensor &found, const Tensor &expected);

}  // namespace unstride::bench

#endif
