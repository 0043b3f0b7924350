#ifndef UNSTRIDE_RUNTIME_PROBLEM_CHECKED_H
#define UNSTRIDE_RUNTIME_PROBLEM_CHECKED_H

#include <cstdint>

#include "unstride/error.h"
#include "unstride/tensor.h"

namespace unstride {

// These functions compute with 64-bit integers, and throw InvalidArgument instead of overflowing.
inline int64_t add(int64_t a, int64_t b) {
    int64_t result = 0;
    if (__builtin_add_overflow(a, b, &result)) {
        throw InvalidArgument("sizes overflow 64-bit arithmetic");
    }
    return result;
}

inline int64_t multiply(int64_t a, int64_t b) {
    int64_t result = 0;
    if (__builtin_mul_overflow(a, b, &result)) {
        throw InvalidArgument("sizes overflow 64-bit arithmetic");
    }
    return result;
}

inline int64_t product(const Shape &sizes) {
    int64_t result = 1;
    for (int64_t size : sizes) {
        result = multiply(result, size);
    }
    return result;
}

// Returns a / b rounded down, for b > 0.
inline int64_t divide_down(int64_t a, int64_t b) {
    return a / b - (a % b < 0 ? 1 : 0);
}

// Returns a / b rounded up, for a >= 0 and b > 0.
inline int64_t divide_up(int64_t a, int64_t b) {
    return a / b + (a % b != 0 ? 1 : 0);
}

}  // namespace unstride

#endif
