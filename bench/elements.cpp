#include "elements.h"

#include <algorithm>
#include <cmath>

namespace unstride::bench {

Tensor converted(const Tensor &tensor, DType dtype) {
    Tensor result(tensor.sizes(), tensor.layout(), tensor.spatial(), dtype);
    with_elements(tensor, [&](const auto *from) {
        with_elements(result, [&](auto *to) {
            using To = std::remove_pointer_t<decltype(to)>;
            std::transform(from, from + tensor.element_count(), to, [](auto number) { return rounded<To>(number); });
        });
    });
    return result;
}

double difference(const Tensor &found, const Tensor &expected) {
    return with_elements(found, [&](const auto *some) {
        return with_elements(expected, [&](const auto *others) {
            double largest = 0, farthest = 0;
            for (int64_t i = 0; i < expected.element_count(); i++) {
                const auto other = rounded<double>(others[i]);
                const double distance = std::abs(rounded<double>(some[i]) - other);
                farthest = std::isnan(farthest) || distance <= farthest ? farthest : distance;
                largest = std::max(largest, std::abs(other));
            }
            return farthest / largest;
        });
    });
}

}  // namespace unstride::bench
