#include "problem/problem.h"

#include <algorithm>

namespace unstride {
namespace {

bool are_equal(const Extent &a, const Extent &b) {
    return a.input == b.input && a.output == b.output && a.kernel == b.kernel && a.axis.stride == b.axis.stride &&
           a.axis.dilation == b.axis.dilation && a.axis.padding == b.axis.padding;
}

bool are_equal(const Geometry &a, const Geometry &b) {
    return a.batch == b.batch && a.channels.groups == b.channels.groups && a.channels.inputs == b.channels.inputs &&
           a.channels.outputs == b.channels.outputs && are_equal(a.extent[0], b.extent[0]) &&
           are_equal(a.extent[1], b.extent[1]) && are_equal(a.extent[2], b.extent[2]);
}

}  // namespace

Geometry Problem::layer() const {
    if (op != Operator::input_gradient) {
        return geometry;
    }
    return by_forward ? reversed_as_forward(geometry) : reversed(geometry);
}

Operator op_of_kernels(Operator op, const Geometry &layer) {
    const bool has_stride =
        std::any_of(layer.extent.begin(), layer.extent.end(), [](const Extent &e) { return e.axis.stride > 1; });
    return op == Operator::input_gradient && !has_stride ? Operator::forward : op;
}

Problem problem_of(Operator op, Operator of_kernels, const Geometry &layer, Layout layout, const Types &types,
                   int threads) {
    Problem problem;
    problem.op = op;
    problem.geometry = layer;
    problem.layout = layout;
    problem.types = types;
    problem.threads = threads;
    if (op == Operator::input_gradient) {
        problem.by_forward = of_kernels == Operator::forward;
        problem.geometry = problem.by_forward ? reversed_as_forward(layer) : reversed(layer);
    } else if (op == Operator::bias_gradient) {
        problem.geometry = with_outputs_alone(layer);
    }
    return problem;
}

bool Problem::operator==(const Problem &other) const {
    return op == other.op && by_forward == other.by_forward && layout == other.layout && types == other.types &&
           device == other.device && threads == other.threads && conditions == other.conditions &&
           are_equal(geometry, other.geometry) && whole.has_value() == other.whole.has_value() &&
           (!whole || are_equal(*whole, *other.whole));
}

}  // namespace unstride
