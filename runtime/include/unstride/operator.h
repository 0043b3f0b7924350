#ifndef UNSTRIDE_OPERATOR_H
#define UNSTRIDE_OPERATOR_H

namespace unstride {

// What is computed with a layer: its output, or one of three gradients of a scalar loss, each from the gradient with
// respect to the layer's convolution, which has the output's shape.
enum class Operator {
    forward,
    input_gradient,
    weight_gradient,
    bias_gradient,
};

// Returns the enumerator's name.
const char *to_string(Operator op);

// What becomes of the numbers that are in the memory of a gradient.
enum class Update {
    replace,     // the gradient takes their place, whatever they are
    accumulate,  // the gradient is added to them, as the gradients of several calls are
};

}  // namespace unstride

#endif
