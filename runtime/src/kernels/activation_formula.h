#ifndef UNSTRIDE_RUNTIME_KERNELS_ACTIVATION_FORMULA_H
#define UNSTRIDE_RUNTIME_KERNELS_ACTIVATION_FORMULA_H

#include <array>
#include <cstdint>
#include <vector>

#include "formula.h"
#include "unstride/activation.h"

namespace unstride {

// An activation as the kernels know it.
Formula formula_of(const Activation &activation);

// The parameters that its formula has for each of so many channels: slope; low and high bound; or alpha. They are empty
// where there are none.
using FormulaParameters = std::array<std::vector<double>, 2>;
FormulaParameters parameters_of(const Activation &activation, int64_t channels);

}  // namespace unstride

#endif
