#ifndef UNSTRIDE_BENCH_ELEMENTS_H
#define UNSTRIDE_BENCH_ELEMENTS_H

#include <type_traits>

#include "unstride/tensor.h"

namespace unstride::bench {

// Calls a function with the pointer to a tensor's elements, of their type.
template<typename AnyTensor, typename Function>
auto with_elements(AnyTensor &tensor, const Function &function) {
    return with_type(tensor.dtype(), [&](auto *null) {
        return function(tensor.template data<std::remove_pointer_t<decltype(null)>>());
    });
}

// To another type. Those of f16 and bf16 convert from and to f32 only.
template<typename To, typename From>
To rounded(From number) {
    if constexpr (std::is_same_v<To, double> && std::is_same_v<From, double>) {
        return number;
    } else {
        return static_cast<To>(static_cast<float>(number));
    }
}

// The same numbers, rounded to another type.
Tensor converted(const Tensor &tensor, DType dtype);

// How far some numbers are from others, in tensors of the same sizes and layout, over the largest of the latter. Not a
// number if one of the former is none.
double difference(const Tensor &found, const Tensor &expected);

}  // namespace unstride::bench

#endif
