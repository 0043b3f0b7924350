#ifndef UNSTRIDE_GENERATORS_EXPRESSIONS_H
#define UNSTRIDE_GENERATORS_EXPRESSIONS_H

#include "Halide.h"

namespace unstride {

// A number, of the type of another expression.
inline Halide::Expr number(const Halide::Expr &like, double value) {
    return Halide::cast(like.type(), Halide::Expr(value));
}

// Whether a < b, of floats. The comparison is strict, so that a NaN is neither below nor above anything; strict_float()
// would change a and b, too.
inline Halide::Expr below(const Halide::Expr &a, const Halide::Expr &b) {
    using Halide::Internal::Call;
    return Call::make(Halide::Bool(), Call::strict_lt, {a, b}, Call::PureIntrinsic);
}

// `yes` or `no`. The condition is a scalar, and the code of the other one does not run.
inline Halide::Expr branch(const Halide::Expr &condition, const Halide::Expr &yes, const Halide::Expr &no) {
    using Halide::Internal::Call;
    return Call::make(yes.type(), Call::if_then_else, {condition, yes, no}, Call::PureIntrinsic);
}

}  // namespace unstride

#endif
