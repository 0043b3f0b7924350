#include "problem/problem.h"

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

bool Problem::operator==(const Problem &other) const {
    return op == other.op && by_forward == other.by_forward && layout == other.layout && types == other.types &&
           device == other.device && threads == other.threads && conditions == other.conditions &&
           are_equal(geometry, other.geometry);
}

}  // namespace unstride
