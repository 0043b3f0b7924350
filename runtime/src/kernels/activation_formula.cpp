#include "kernels/activation_formula.h"

#include <cstddef>
#include <limits>

namespace unstride {

Formula formula_of(const Activation &activation) {
    using Kind = Activation::Kind;
    switch (activation.kind) {
    case Kind::none:
        return Formula::none;
    case Kind::relu:
    case Kind::clamp:
        return Formula::clamp;
    case Kind::leaky_relu:
    case Kind::prelu:
        return Formula::slope;
    case Kind::elu:
        return Formula::elu;
    case Kind::silu:
        return Formula::silu;
    case Kind::gelu:
        return Formula::gelu;
    case Kind::gelu_tanh:
        return Formula::gelu_tanh;
    case Kind::tanh:
        return Formula::tanh;
    case Kind::sigmoid:
        return Formula::sigmoid;
    }
    return Formula::none;
}

FormulaParameters parameters_of(const Activation &activation, int64_t channels) {
    const auto each = [&](double value) { return std::vector<double>(static_cast<size_t>(channels), value); };
    const bool is_relu = activation.kind == Activation::Kind::relu;
    switch (formula_of(activation)) {
    case Formula::slope:
        return {activation.slopes.size() == 1 ? each(activation.slopes.front()) : activation.slopes};
    case Formula::clamp:
        return {each(is_relu ? 0 : activation.low),
                each(is_relu ? std::numeric_limits<double>::infinity() : activation.high)};
    case Formula::elu:
        return {each(activation.alpha)};
    case Formula::none:
    case Formula::sigmoid:
    case Formula::silu:
    case Formula::tanh:
    case Formula::gelu:
    case Formula::gelu_tanh:
        break;
    }
    return {};
}

}  // namespace unstride
