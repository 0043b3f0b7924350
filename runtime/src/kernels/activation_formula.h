#ifndef UNSTRIDE_RUNTIME_KERNELS_ACTIVATION_FORMULA_H
#define UNSTRIDE_RUNTIME_KERNELS_ACTIVATION_FORMULA_H

#include <array>
#include <cstdint>
#include <vector>

#include "formula.h"
#include "unstride/activation.h"

namespace unstride {

// Returns the formula by which kernels compute an activation. Activations that differ only in parameters share one.
Formula formula_of(const Activation &activation);

// The parameters of a formula, each with one value for every channel: slope; low and high bound; or alpha. A parameter
// that the formula does not have is empty.
using FormulaParameters = std::array<std::vector<double>, 2>;

// Returns the parameters of an activation's formula for a layer with `channels` output channels.
FormulaParameters parameters_of(const Activation &activation, int64_t channels);

}  // namespace unstride

#endif
