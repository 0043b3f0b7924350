#include "minimal_filter.h"
#include "sums.h"

namespace unstride {

using namespace Halide;

// sum = bias + sums and differences of products: see MinimalFilter.
//
// A winograd kernel computes the outputs of z and y in pairs, by minimal filters. It sees a phase of z and y as a layer
// of stride 1 there. Weights are those of the filters: dimensions ky and kz have one more than the phase has taps.
void sum_by_winograd(Kernel &kernel, Stages &s) {
    const Axis<Expr> X = kernel.axis(column);
    const Expr W = kernel.input_extent(column), H = kernel.input_extent(row), D = kernel.input_extent(slice);
    const Expr KX = kernel.kernel_size(column), inputs = kernel.summed_channels();
    const MinimalFilter Y{kernel.weight.dim(3).extent() - 1}, Z{kernel.weight.dim(4).extent() - 1};

    // The input's terms of each product. A row that the sum lacks counts nothing, in place of a condition for each row.
    const RDom columns(0, W, "input_columns");
    Expr staged = kernel.zero();
    for (int tz = 0; tz < 2; tz++) {
        for (int ty = 0; ty < 2; ty++) {
            const Expr iy = 2 * y + kernel.padding[row] + Y.input(my, ty);
            const Expr iz = 2 * z + kernel.padding[slice] + Z.input(mz, tz);
            const Expr sign = select(Y.has_term(my, ty) && iy >= 0 && iy < H && Z.has_term(mz, tz) && iz >= 0 && iz < D,
                                     Y.input_sign(my, ty) * Z.input_sign(mz, tz), 0.f);
            staged += sign * s.source(columns, clamp(iy, 0, H - 1), clamp(iz, 0, D - 1), c, g, n);
        }
    }
    Func slab("slab");
    slab(x, c, my, y, mz, z, g, n) = kernel.zero();
    slab(columns, c, my, y, mz, z, g, n) = staged;

    // The products, each a sum over input channels and taps along x.
    RDom taps(0, inputs, 0, X.most_taps(KX), "taps");
    const Expr ci = taps[0], kx = X.tap(rx, taps[1]), ix = read_column(kernel, q, rx, taps[1]);
    taps.where(X.has_taps(rx) && kx < KX);
    const Expr w = kernel.weight(c % kernel.block, ci, within(kx, KX), my, mz, c / kernel.block, g);
    Func product("product"), products("products");
    product(c, q, rx, my, mz, y, z, g, n) = kernel.zero();
    product(c, q, rx, my, mz, y, z, g, n) += w * slab(ix, ci, my, y, mz, z, g, n);
    products(c, q, rx, my, mz, y, z, g, n) = product(c, q, rx, my, mz, y, z, g, n);

    // The outputs, each of which has terms of some products.
    const RDom j(0, Y.taps, 0, Z.taps, "j");
    const Expr uy = y % 2, uz = z % 2;
    Func sum("sum");
    sum(c, q, rx, y, z, g, n) = kernel.bias(c, g, 0);
    sum(c, q, rx, y, z, g, n) += Y.output_sign(uy, j[0]) * Z.output_sign(uz, j[1]) *
                                 products(c, q, rx, uy + j[0], uz + j[1], y / 2, z / 2, g, n);

    s.slab = slab;
    s.slab_rows = {my, y, mz};
    s.input_columns = columns;
    s.product = product;
    s.products = products;
    s.product_taps = taps;
    s.sum = sum;
    s.taps = {j};
}

}  // namespace unstride
