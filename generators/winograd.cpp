#include "minimal_filter.h"
#include "sums.h"

namespace unstride {

using namespace Halide;

namespace {

// Sums by minimal filters along depth and height (MinimalFilter), of outputs in pairs of rows and slices.
class MinimalSum {
public:
    // A minimal filter along one axis, of which the slab has an `element` for each `pair` of outputs: element m * step
    // + r is what product m has of the inputs that are r modulo `step`, counted from `first`, the last input that
    // output 0 reads. From one of these inputs to the next there are `step`.
    struct FilteredAxis {
        MinimalFilter filter;
        Expr pair, element, first, step, extent;

        Expr input(int term) const {
            return (2 * pair + filter.input(element / step, term)) * step + element % step + first;
        }
        Expr sign(int term) const {
            return filter.input_sign(element / step, term);
        }
        Expr exists(int term) const {
            return filter.has_term(element / step, term) && input(term) >= 0 && input(term) < extent;
        }
    };

    MinimalSum(Kernel &kernel, Stages &stages, const FilteredAxis &Y, const FilteredAxis &Z)
        : kernel(kernel), s(stages), Y(Y), Z(Z) {
    }

    // Defines `slab` as the input's terms of each product. A row that the sum lacks counts nothing, in place of a
    // condition for each row. Zeros are left and right of the input.
    void stage() {
        const Expr W = kernel.input_extent(column);
        const RDom columns(0, W, "input_columns");
        Expr staged = kernel.zero();
        for (int tz = 0; tz < 2; tz++) {
            for (int ty = 0; ty < 2; ty++) {
                const Expr sign = select(Y.exists(ty) && Z.exists(tz), Y.sign(ty) * Z.sign(tz), 0.f);
                staged += sign * s.source(columns, clamp(Y.input(ty), 0, Y.extent - 1),
                                          clamp(Z.input(tz), 0, Z.extent - 1), c, g, n);
            }
        }
        const Expr zero = kernel.zero();
        Func slab("slab");
        slab(x, c, my, y, mz, z, g, n) = select(x < 0 || x >= W, zero, undef(zero.type()));
        slab(columns, c, my, y, mz, z, g, n) = staged;
        s.slab = slab;
        s.slab_rows = {my, y, mz};
        s.input_columns = columns;
    }

    // Defines the products, each a sum over `taps` of weight * slab.
    void multiply(const RDom &taps, const Expr &weight, const Expr &input) {
        Func product("product"), products("products");
        product(c, q, rx, my, mz, y, z, g, n) = kernel.zero();
        product(c, q, rx, my, mz, y, z, g, n) += weight * input;
        products(c, q, rx, my, mz, y, z, g, n) = product(c, q, rx, my, mz, y, z, g, n);
        s.product = product;
        s.products = products;
        s.product_taps = taps;
    }

    // Defines the outputs, each of which has terms of some products.
    void sum(const Expr &first) {
        const RDom j(0, Y.filter.taps, 0, Z.filter.taps, "j");
        const Expr uy = y % 2, uz = z % 2;
        s.sum = Func("sum");
        s.sum(c, q, rx, y, z, g, n) = first;
        s.sum(c, q, rx, y, z, g, n) += Y.filter.output_sign(uy, j[0]) * Z.filter.output_sign(uz, j[1]) *
                                       s.products(c, q, rx, uy + j[0], uz + j[1], y / 2, z / 2, g, n);
        s.taps = {j};
    }

private:
    Kernel &kernel;
    Stages &s;
    const FilteredAxis Y, Z;
};

}  // namespace

// sum = bias + sums and differences of products. A kernel sees a phase of z and y as a layer of stride 1 there. Weights
// are those of the filters: dimensions ky and kz have one more than the phase has taps.
void sum_by_winograd(Kernel &kernel, Stages &s) {
    const auto along = [&](int dimension, const Expr &pair, const Expr &element) -> MinimalSum::FilteredAxis {
        return {{kernel.weight.dim(2 + dimension).extent() - 1},
                pair,
                element,
                kernel.padding[dimension],
                1,
                kernel.input_extent(dimension)};
    };
    MinimalSum sums(kernel, s, along(row, y, my), along(slice, z, mz));
    sums.stage();

    const Axis<Expr> X = kernel.axis(column);
    const Expr KX = kernel.kernel_size(column);
    RDom taps(0, kernel.summed_channels(), 0, X.most_taps(KX), "taps");
    const Expr ci = taps[0], kx = X.tap(rx, taps[1]), ix = read_column(kernel, q, rx, taps[1]);
    taps.where(X.has_taps(rx) && kx < KX);
    sums.multiply(taps, kernel.weight(c % kernel.block, ci, within(kx, KX), my, mz, c / kernel.block, g),
                  s.slab(ix, ci, my, y, mz, z, g, n));
    sums.sum(kernel.bias(c, g, 0));
}

// The input gradient: along z and y, the taps that are r modulo the stride read outputs that are apart by it, as those
// of a layer of stride 1 do. Such filters have the same terms of outputs for each r, so that products are summed over
// all r. With kernel size k and stride s, ky and kz have k + s elements: m * s + r is product m of the filter for r.
void sum_gradient_by_winograd(Kernel &kernel, Stages &s) {
    const auto along = [&](int dimension, const Expr &pair, const Expr &element) -> MinimalSum::FilteredAxis {
        const Expr stride = kernel.axis(dimension).stride,
                   taps = (kernel.kernel_size(dimension) + stride - 1) / stride - 1;
        return {{taps},  pair,
                element, (taps - 1) * stride - kernel.padding[dimension],
                stride,  kernel.input_extent(dimension)};
    };
    MinimalSum sums(kernel, s, along(row, y, my), along(slice, z, mz));
    sums.stage();

    const Axis<Expr> X = kernel.axis(column), Y = kernel.axis(row), Z = kernel.axis(slice);
    const Expr KY = kernel.kernel_size(row), KZ = kernel.kernel_size(slice);
    RDom taps(0, kernel.summed_channels(), 0, kernel.kernel_size(column), 0, Y.stride, 0, Z.stride, "taps");
    const Expr co = taps[0], kx = taps[1], ey = my * Y.stride + taps[2], ez = mz * Z.stride + taps[3];
    taps.where(ey < KY && ez < KZ);
    sums.multiply(taps, kernel.weight(c % kernel.block, co, kx, within(ey, KY), within(ez, KZ), c / kernel.block, g),
                  s.slab(X.output(q, kx), co, within(ey, KY), y, within(ez, KZ), z, g, n));
    sums.sum(kernel.zero());
}

}  // namespace unstride
