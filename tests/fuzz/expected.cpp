// What a call has to give.

#include <algorithm>
#include <cmath>

#include "calls.h"
#include "support/activation_reference.h"
#include "support/gradient_reference.h"

namespace unstride::tests {
namespace {

// Whether an activation gives numbers that its argument's type has, and is computed before the result is rounded.
bool is_exact(const Activation &a) {
    using Kind = Activation::Kind;
    return a.kind == Kind::none || a.kind == Kind::relu || a.kind == Kind::clamp || a.kind == Kind::leaky_relu ||
           (a.kind == Kind::prelu && a.slopes.size() == 1);
}

bool is_gelu(const Activation &a) {
    return a.kind == Activation::Kind::gelu || a.kind == Activation::Kind::gelu_tanh;
}

}  // namespace

double Session::bound_of(const Reference &reference, double added) const {
    if (call_.data == Data::integers || reference.magnitudes.empty()) {
        return 0;
    }
    const double most = *std::max_element(reference.magnitudes.begin(), reference.magnitudes.end());
    const double epsilon = std::ldexp(1., 1 - precision(call_.types.sums()));
    const Triple &k = drawn_.options.kernel_size;
    const bool over_positions = is_gradient_of_parameters(call_.op);
    // Elements that share memory are equal, so that roundings may add up: in the reference, too, which sums in f64.
    const auto terms = static_cast<double>(
        over_positions ? element_count(drawn_.output)
                       : std::max(drawn_.options.in_channels, drawn_.options.out_channels) * k[0] * k[1] * k[2]);
    const double of_reference = terms * std::ldexp(1., -53);
    // Sums over positions have the bound of docs/algorithm.md.
    const double relative = over_positions ? std::min(terms + 8, 640.) * epsilon / 2 : 4 * epsilon;
    return (relative + of_reference) * (most + added);
}

Outcome Session::expected_forward(const std::vector<double> &before) const {
    const Reference sums = reference(drawn_.called, drawn_.input, numbers_of(call_.from[0]), weight_,
                                     drawn_.options.bias ? bias_ : std::vector<double>());
    const Activation &activation = layer_.activation();
    Outcome outcome{call_.types.output, sums.values};
    const std::vector<double> residual =
        with_residual_ && !in_place_ ? numbers_of(call_.from[1]) : (in_place_ ? before : std::vector<double>());
    const auto volume = static_cast<size_t>(drawn_.output[2] * drawn_.output[3] * drawn_.output[4]),
               channels = static_cast<size_t>(drawn_.options.out_channels);
    double added = 4;
    for (size_t i = 0; i < outcome.want.size(); i++) {
        const double sum = outcome.want[i] + (residual.empty() ? 0 : residual[i]);
        outcome.sums.push_back(sum);
        outcome.want[i] = static_cast<double>(apply(activation, sum, i / volume % channels));
    }
    for (const double number : residual) {
        added = std::isfinite(number) ? std::max(added, std::abs(number)) : added;
    }
    // The steepest activation has a slope of 1.5.
    outcome.bound_of_sums = 1.5 * bound_of(sums, added);
    if (!is_exact(activation)) {
        outcome.roundings = 3;
        outcome.relative = std::ldexp(is_gelu(activation) ? 200. : 16., 1 - precision(call_.types.sums()));
    }
    return outcome;
}

Outcome Session::expected(const std::vector<double> &before) const {
    if (call_.op == Operator::forward) {
        return expected_forward(before);
    }
    Reference gradient;
    if (call_.op == Operator::input_gradient) {
        gradient = reference_input_gradient(drawn_.called, drawn_.input, numbers_of(call_.from[0]), weight_);
    } else if (call_.op == Operator::weight_gradient) {
        gradient = reference_weight_gradient(drawn_.called, drawn_.input, numbers_of(call_.from[0]),
                                             numbers_of(call_.from[1]));
    } else {
        gradient = reference_bias_gradient(drawn_.called, drawn_.output, numbers_of(call_.from[0]));
    }
    Outcome outcome{call_.types.output, gradient.values};
    double added = 0;
    for (size_t i = 0; i < outcome.want.size() && call_.update == Update::accumulate; i++) {
        outcome.want[i] += before[i];
        added = std::max(added, std::abs(before[i]));
    }
    outcome.bound_of_sums = bound_of(gradient, added);
    return outcome;
}

}  // namespace unstride::tests
