#ifndef UNSTRIDE_GENERATORS_FORMULA_H
#define UNSTRIDE_GENERATORS_FORMULA_H

#include <cstdint>

namespace unstride {

// How an activation is computed, and where. The kernels of the convolution do the first ones in registers, on the way
// to the store; the others, which take dozens of instructions, kernels of their own, in place, as soon as a task has
// stored its outputs.
enum class Formula : int32_t {
    none,
    clamp,      // to [low, high]
    slope,      // v below 0 times the channel's slope
    elu,        // below 0, alpha * (e^v - 1)
    sigmoid,    // 1 / (1 + e^-v)
    silu,       // v * sigmoid(v)
    tanh,       //
    gelu,       // v * P(X <= v) of a standard normal X
    gelu_tanh,  // v * sigmoid(2 * sqrt(2 / pi) * (v + 0.044715 v^3))
};

inline bool is_in_registers(Formula formula) {
    return formula <= Formula::slope;
}

}  // namespace unstride

#endif
