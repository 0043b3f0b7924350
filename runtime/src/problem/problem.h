#ifndef UNSTRIDE_RUNTIME_PROBLEM_PROBLEM_H
#define UNSTRIDE_RUNTIME_PROBLEM_PROBLEM_H

#include "operator.h"
#include "problem/geometry.h"
#include "unstride/device.h"
#include "unstride/tensor.h"

namespace unstride {

// What only some calls have, and some kernels need. A plan that is asked for without a call assumes all of it.
struct Conditions {
    bool moderate = true;  // numbers of the input and the weights: see are_moderate()
    bool aligned = true;   // an input whose place in memory, and whose strides, are multiples of four elements
    bool in_bf16 = true;   // weights: see are_in_bf16()

    bool operator==(const Conditions &other) const {
        return moderate == other.moderate && aligned == other.aligned && in_bf16 == other.in_bf16;
    }
};

// What a layer is asked to compute: all that a plan depends on besides the layer's options, a forced variant, and the
// machine. It has neither addresses nor strides, so that views of other strides are the same problem.
struct Problem {
    Operator op = Operator::forward;
    Geometry geometry;
    Layout layout = Layout::ncdhw;
    Types types;
    Device device = Device::cpu;
    Conditions conditions;
    int threads = 1;  // that share the work, or processors of a GPU; read once in a call, as an app may set it meanwhile

    bool operator==(const Problem &other) const;
};

}  // namespace unstride

#endif
