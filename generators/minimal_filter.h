#ifndef UNSTRIDE_GENERATORS_MINIMAL_FILTER_H
#define UNSTRIDE_GENERATORS_MINIMAL_FILTER_H

#include "Halide.h"

namespace unstride {

// Winograd's minimal filters F(2, T): two neighbouring outputs of T = 1, 2 or 3 taps from T + 1 products, in place of
// 2 T. With the taps w0, w1, w2 (of which w0 reads furthest right) and the input a, b, ... that both outputs read, from
// left to right, the products are
//
//   T    product 0      product 1                      product 2                      product 3
//   1    a w0           b w0
//   2    (a - b) w1     b (w0 + w1)                    (c - b) w0
//   3    (a - c) w2     (c + b) (w0 + w1 + w2) / 2     (c - b) (w0 - w1 + w2) / 2     (d - b) w0
//
// and the outputs
//
//   T    output 0       output 1
//   1    p0             p1
//   2    p0 + p1        p1 + p2
//   3    p0 + p1 + p2   p1 - p2 + p3
//
// The last input that output 0 reads has number 0: a is number 1 - T. runtime/src/kernels/winograd.cpp has the weights'
// side.
struct MinimalFilter {
    Halide::Expr taps;  // T

    // A product's input is one term or two.
    Halide::Expr has_term(const Halide::Expr &product, const Halide::Expr &term) const {
        return product <= taps && (term == 0 || taps == 3 || (taps == 2 && product != 1));
    }
    Halide::Expr input(const Halide::Expr &product, const Halide::Expr &term) const {
        const Halide::Expr first =
            select(taps == 1, product, taps == 2, product - 1, product == 0, -2, product == 3, 1, 0);
        const Halide::Expr second = select(taps == 1, product, taps == 2 || product == 0, 0, -1);
        return select(term == 0, first, second);
    }
    Halide::Expr input_sign(const Halide::Expr &product, const Halide::Expr &term) const {
        return Halide::select(term == 0 || (taps == 3 && product == 1), 1.f, -1.f);
    }

    // Output u is a sum of the products u, ..., u + T - 1.
    Halide::Expr output_sign(const Halide::Expr &u, const Halide::Expr &j) const {
        return Halide::select(taps == 3 && u == 1 && j == 1, -1.f, 1.f);
    }
};

}  // namespace unstride

#endif
