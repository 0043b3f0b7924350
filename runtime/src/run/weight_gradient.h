#ifndef UNSTRIDE_RUNTIME_RUN_WEIGHT_GRADIENT_H
#define UNSTRIDE_RUNTIME_RUN_WEIGHT_GRADIENT_H

#include "array/array.h"
#include "kernels/weight_gradient.h"
#include "problem/problem.h"
#include "unstride/operator.h"
#include "unstride/tensor.h"

namespace unstride {

// Computes a weight gradient on the CPU. `grad_weight` has five dimensions. Throws OutOfMemory or KernelError if a
// kernel fails; some of grad_weight may then be computed, and some not.
void compute_weight_gradient(const WeightGradientProgram &program, const Problem &problem, const Array &input,
                             const Array &grad_output, const View<void> &grad_weight, Update update);

}  // namespace unstride

#endif
