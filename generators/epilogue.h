#ifndef UNSTRIDE_GENERATORS_EPILOGUE_H
#define UNSTRIDE_GENERATORS_EPILOGUE_H

#include "expressions.h"
#include "formula.h"

namespace unstride {

// What becomes of a sum in the registers, before it is stored. Every kernel can do all of it: where nothing is to do, a
// branch costs a store two instructions; a kernel for each case would multiply the catalog.
struct Epilogue {
    // `first` is the slope of the activation's formula or the low bound of its clamp, and `second` the high bound.
    Halide::Expr has_residual, residual, formula, first, second;

    Halide::Expr operator()(const Halide::Expr &sum) const {
        using Halide::select;
        const auto is = [&](Formula f) { return formula == static_cast<int32_t>(f); };
        const Halide::Expr v = branch(has_residual, sum + residual, sum);
        const Halide::Expr clamped = select(below(v, first), first, below(second, v), second, v),
                           sloped = select(below(v, number(v, 0)), first * v, v);
        const Halide::Expr activated = branch(is(Formula::none), v, branch(is(Formula::clamp), clamped, sloped));
        return branch(is(Formula::none) && !has_residual, sum, activated);
    }
};

}  // namespace unstride

#endif
