#ifndef UNSTRIDE_GENERATORS_EPILOGUE_H
#define UNSTRIDE_GENERATORS_EPILOGUE_H

#include "expressions.h"
#include "formula.h"

namespace unstride {

// What becomes of a sum in the registers, before it is stored. Every kernel can do all of it, as one for each case
// would multiply the catalog. Where nothing is to do, a branch costs a tile two instructions, or on a GPU a store.
struct Epilogue {
    // `first` is the slope of the activation's formula or the low bound of its clamp, and `second` the high bound.
    Halide::Expr has_residual, residual, formula, first, second;

    // Whether nothing becomes of it, which a kernel can ask for a whole tile (schedules/plain_tiles.cpp).
    Halide::Expr is_plain() const {
        return is(Formula::none) && !has_residual;
    }

    Halide::Expr operator()(const Halide::Expr &sum) const {
        using Halide::select;
        const Halide::Expr v = branch(has_residual, sum + residual, sum);
        const Halide::Expr clamped = select(below(v, first), first, below(second, v), second, v),
                           sloped = select(below(v, number(v, 0)), first * v, v);
        const Halide::Expr activated = branch(is(Formula::none), v, branch(is(Formula::clamp), clamped, sloped));
        return branch(is_plain(), sum, activated);
    }

private:
    Halide::Expr is(Formula f) const {
        return formula == static_cast<int32_t>(f);
    }
};

}  // namespace unstride

#endif
