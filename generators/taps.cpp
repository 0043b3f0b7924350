#include "sums.h"

namespace unstride {

using namespace Halide;

// sum = bias + products of the phase's taps along y and x, each of which is a sum over input channels and taps along z.
//
// A taps kernel multiplies a position by all taps of y and x at once. Lanes of the weights are output channels and taps
// of y and x, the latter innermost; the extents of dimensions kx and ky tell how many taps there are, and their strides
// are 0.
void sum_by_taps(Kernel &kernel, Stages &s) {
    const Axis<Expr> X = kernel.axis(column), Z = kernel.axis(slice), Y = kernel.axis(row);
    const Expr H = kernel.input_extent(row), D = kernel.input_extent(slice);
    const Expr KX = kernel.kernel_size(column), KY = kernel.kernel_size(row), KZ = kernel.kernel_size(slice);
    const Expr inputs = kernel.summed_channels(), outputs = kernel.output_dim(output_channel).extent();

    stage_rows(kernel, s);

    // The products, whose c are lanes of the weights, at all positions of a row of the input.
    RDom taps(0, inputs, 0, Z.most_taps(KZ), "taps");
    const Expr ci = taps[0], kz = Z.tap(z, taps[1]), iz = Z.input(z, taps[1]);
    taps.where(Z.has_taps(z) && kz < KZ && iz >= 0 && iz < D);
    const Expr w = kernel.weight(c % kernel.block, ci, 0, 0, within(kz, KZ), c / kernel.block, g);
    Func product("product"), products("products");
    product(c, q, rx, y, z, g, n) = kernel.zero();
    product(c, q, rx, y, z, g, n) += w * s.slab(q, ci, y, read_row(kernel, slice, z, taps[1]), g, n);
    products(c, x, y, z, g, n) = kernel.zero();
    const RDom columns(0, kernel.input_extent(column), "columns");
    products(c, columns, y, z, g, n) = product(c, columns, 0, y, z, g, n);

    // The outputs, each of which adds what its taps find at the positions that they read.
    RDom j(0, X.most_taps(KX), 0, Y.most_taps(KY), "j");
    const Expr kx = X.tap(rx, j[0]), ky = Y.tap(y, j[1]), iy = Y.input(y, j[1]);
    j.where(Y.has_taps(y) && ky < KY && iy >= 0 && iy < H);
    j.where(X.has_taps(rx) && kx < KX);
    const Expr lane = (within(c, outputs) * KY + within(ky, KY)) * KX + within(kx, KX);
    Func sum("sum");
    sum(c, q, rx, y, z, g, n) = kernel.bias(c, g, 0);
    sum(c, q, rx, y, z, g, n) +=
        products(lane, read_column(kernel, q, rx, j[0]), read_row(kernel, row, y, j[1]), z, g, n);

    s.product = product;
    s.products = products;
    s.product_taps = taps;
    s.sum = sum;
    s.taps = {j};
}

}  // namespace unstride
