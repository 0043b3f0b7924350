#ifndef UNSTRIDE_GENERATORS_OPERATOR_H
#define UNSTRIDE_GENERATORS_OPERATOR_H

#include <string_view>

#include "unstride/operator.h"

namespace unstride {

// What the build has to know of an operator, by which catalog, problems and plans tell their kernels apart.
struct OperatorFacts {
    Operator op;
    std::string_view name;
    std::string_view generator, gpu_generator;  // of its kernels for CPUs and for GPUs
};

// The build reads these rows, too (cmake/UnstrideCatalog.cmake): each is a line, in the order of the enumeration.
inline constexpr OperatorFacts operators[] = {
    {Operator::forward, "forward", "transposed_convolution", "transposed_convolution"},
    {Operator::input_gradient, "input_gradient", "input_gradient", "input_gradient"},
    {Operator::weight_gradient, "weight_gradient", "weight_gradient", "weight_gradient_gpu"},
    {Operator::bias_gradient, "bias_gradient", "bias_gradient", "bias_gradient"},
};

}  // namespace unstride

#endif
