#include "pairs.h"
#include "sums.h"

namespace unstride {

using namespace Halide;

namespace {

// On a GPU, which has nothing staged: the input that a tap of an output reads, or zero left and right of it. All that
// it is asked for are variables of loops, so that bounds inference knows it to be one element.
Func read_in_place(Kernel &kernel, const Func &source, const Axis<Expr> &X, const Axis<Expr> &Y, const Axis<Expr> &Z) {
    const Expr ix = q + X.input(rx, jx), iy = Y.input(y, jy), iz = Z.input(z, jz);
    const Expr input =
        source(kernel.existing(ix, column), kernel.existing(iy, row), kernel.existing(iz, slice), c, g, n);
    Func slab("slab");
    slab(c, q, rx, jx, jy, jz, y, z, g, n) = select(ix >= 0 && ix < kernel.input_extent(column), input, kernel.zero());
    return slab;
}

}  // namespace

void stage_rows(Kernel &kernel, Stages &s, const Axis<Expr> &Z) {
    const RDom columns(0, kernel.input_extent(column), "input_columns");
    Func slab("slab");
    slab(x, c, y, jz, z, g, n) = kernel.zero();
    slab(columns, c, y, jz, z, g, n) = s.source(columns, y, kernel.existing(Z.input(z, jz), slice), c, g, n);
    s.slab = slab;
    s.slab_rows = {y, jz};
    s.input_columns = columns;
}

// sum = bias + products of the taps that reach an output and the input that they read, one after the other.
void sum_directly(Kernel &kernel, Stages &s) {
    const Axis<Expr> X = kernel.axis(column), Z = kernel.axis(slice), Y = kernel.axis(row);
    const Expr H = kernel.input_extent(row), D = kernel.input_extent(slice);
    const Expr KX = kernel.kernel_size(column), KY = kernel.kernel_size(row), KZ = kernel.kernel_size(slice);
    const Expr inputs = kernel.summed_channels();

    if (s.in_place) {
        s.slab = read_in_place(kernel, s.source, X, Y, Z);
    } else {
        stage_rows(kernel, s, Z);
    }

    // Along z and y, loops run over just the taps that exist and read inside the input. Along x, only over those that
    // exist: what they read outside is zero.
    RDom taps(0, inputs, 0, X.most_taps(KX), 0, Y.most_taps(KY), 0, Z.most_taps(KZ), "taps");
    const Expr ci = taps[0], kx = X.tap(rx, taps[1]), ky = Y.tap(y, taps[2]), kz = Z.tap(z, taps[3]);
    const Expr ix = q + X.input(rx, taps[1]), iy = Y.input(y, taps[2]), iz = Z.input(z, taps[3]);
    taps.where(Z.has_taps(z) && kz < KZ && iz >= 0 && iz < D);
    taps.where(Y.has_taps(y) && ky < KY && iy >= 0 && iy < H);
    taps.where(X.has_taps(rx) && kx < KX);

    const bool one = kernel.has_one_panel();
    const Expr panel = one ? Expr(0) : c / kernel.block, lane = one ? Expr(c) : c % kernel.block;
    const Expr w = kernel.weight(lane, ci, within(kx, KX), within(ky, KY), within(kz, KZ), panel, g);
    const Expr channel = kernel.is_depthwise() ? Expr(c) : ci;
    const Expr i = s.in_place ? s.slab(channel, q, rx, taps[1], taps[2], taps[3], y, z, g, n)
                              : s.slab(ix, channel, within(iy, H), within(taps[3], Z.tap_count(z, KZ)), z, g, n);

    Func sum("sum");
    sum(c, q, rx, y, z, g, n) = kernel.bias(c, g, 0);
    const Expr so_far = sum(c, q, rx, y, z, g, n);
    if (kernel.facts().sums == Sums::pairs) {
        sum(c, q, rx, y, z, g, n) = add_dot_of_pairs(so_far, reinterpret<uint32_t>(w), i, kernel.target());
    } else {
        sum(c, q, rx, y, z, g, n) = so_far + w * i;
    }
    s.sum = sum;
    s.taps = taps;
}

}  // namespace unstride
