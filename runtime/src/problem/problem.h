#ifndef UNSTRIDE_RUNTIME_PROBLEM_PROBLEM_H
#define UNSTRIDE_RUNTIME_PROBLEM_PROBLEM_H

#include <optional>

#include "operator.h"
#include "problem/geometry.h"
#include "unstride/device.h"
#include "unstride/tensor.h"

namespace unstride {

// Conditions that some kernels need and only some calls meet. A plan that is asked for without a call assumes those of
// the input.
struct Conditions {
    bool moderate = true;  // whether input and weights are below 2^50 in magnitude (array/scan.h)
    bool aligned = true;   // whether the input's address and strides are multiples of four elements
    bool in_bf16 = true;   // whether bf16 holds the weights without rounding: see are_in_bf16()

    bool operator==(const Conditions &other) const {
        return moderate == other.moderate && aligned == other.aligned && in_bf16 == other.in_bf16;
    }
};

// Returns whether an operator sums over positions, as gradients of weight and bias do: chunk by chunk, from which
// totals are added up and rounded to the output's type. It reads no weights, and its tasks have no output rows.
constexpr bool sums_over_positions(Operator op) {
    return op == Operator::weight_gradient || op == Operator::bias_gradient;
}

// What a call asks a layer to compute. A program depends on it, the layer's options, a forced variant and the machine,
// and on nothing else. A problem has neither addresses nor strides, so that calls whose views differ in these alone
// share a program.
struct Problem {
    Operator op = Operator::forward;
    Geometry geometry;  // of what kernels compute: their input may be the layer's output
    Layout layout = Layout::ncdhw;
    Types types;
    Device device = Device::cpu;
    Conditions conditions;

    // Whether kernels of the forward compute an input gradient: that of a layer of stride 1 is the forward of another
    // layer, whose kernel is reversed and whose input and output channels are exchanged.
    bool by_forward = false;

    Operator op_of_kernels() const {
        return by_forward ? Operator::forward : op;
    }

    // Returns the types that kernels are for. Those that leave sums over positions do not store the output.
    Types types_of_kernels() const {
        return sums_over_positions(op) ? Types(types.input) : types;
    }

    // Returns the sizes of the layer; for a bias gradient, with_outputs_alone().
    Geometry layer() const;

    // The threads that share the work, or a GPU's processors. The number is read once for a call, as the app may set
    // another one while the call runs.
    int threads = 1;

    // The sizes of which `geometry` is a block, if it is one. They decide in which way is summed, so that a block has
    // the bits of the whole.
    std::optional<Geometry> whole = std::nullopt;

    bool operator==(const Problem &other) const;
};

// Returns the operator whose kernels compute an operator of a layer: forward for an input gradient where all strides
// are 1.
Operator op_of_kernels(Operator op, const Geometry &layer);

// Returns the problem of an operator on the CPU whose kernels are of such an operator. `layer` has the layer's sizes.
Problem problem_of(Operator op, Operator of_kernels, const Geometry &layer, Layout layout, const Types &types,
                   int threads);

}  // namespace unstride

#endif
