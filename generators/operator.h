#ifndef UNSTRIDE_GENERATORS_OPERATOR_H
#define UNSTRIDE_GENERATORS_OPERATOR_H

#include <string_view>

namespace unstride {

// What is computed from a layer's arrays. Catalog, problems and plans tell operators apart by this alone.
enum class Operator {
    forward,  // the output, from input and weights
};

struct OperatorFacts {
    Operator op;
    std::string_view name, generator;  // the generator of its kernels
};

// The build reads these rows, too (cmake/UnstrideCatalog.cmake): each is a line.
inline constexpr OperatorFacts operators[] = {
    {Operator::forward, "forward", "transposed_convolution"},
};

}  // namespace unstride

#endif
