#ifndef UNSTRIDE_GENERATORS_OPERATOR_H
#define UNSTRIDE_GENERATORS_OPERATOR_H

namespace unstride {

// What is computed from a layer's arrays. The generator, the planner and wisdom tell operators apart by this alone.
enum class Operator {
    forward,  // the output, from input and weights
};

constexpr const char *name_of(Operator op) {
    switch (op) {
    case Operator::forward:
        return "forward";
    }
    return nullptr;
}

}  // namespace unstride

#endif
