#include "outcome.h"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "support/harness.h"

namespace unstride::tests {

void compare(const std::string &what, const std::vector<double> &got, const Outcome &outcome) {
    const bool exact = outcome.bound_of_sums == 0 && outcome.roundings == 1 && outcome.relative == 0;
    size_t wrong = got.size() == outcome.want.size() ? 0 : got.size() + 1;
    std::ostringstream first;
    for (size_t i = 0; i < std::min(got.size(), outcome.want.size()); i++) {
        const double want = outcome.want[i], nearest = rounded(outcome.dtype, want);
        const double largest = std::max(std::abs(want), outcome.sums.empty() ? 0 : std::abs(outcome.sums[i]));
        double bound = 0;
        if (!exact && std::isfinite(largest)) {
            const double of_tiny = outcome.dtype == DType::f16 ? std::ldexp(1., -25) : std::ldexp(1., -140);
            const double rounding = std::ldexp(largest, -precision(outcome.dtype)) + of_tiny;
            bound = outcome.bound_of_sums + outcome.roundings * rounding + outcome.relative * std::abs(want);
        }
        const bool right =
            std::isnan(want) ? std::isnan(got[i]) : got[i] == nearest || std::abs(got[i] - want) <= bound;
        if (!right && wrong++ == 0) {
            first << "element " << i << " of " << got.size() << " is " << got[i] << " instead of " << want << " +- "
                  << bound;
        }
    }
    if (wrong != 0) {
        throw Finding(what + ": " + first.str() + ", " + std::to_string(wrong) + " wrong in all");
    }
}

}  // namespace unstride::tests
