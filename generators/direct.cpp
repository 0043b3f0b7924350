#include "pairs.h"
#include "sums.h"

namespace unstride {

using namespace Halide;

void read_in_place(Kernel &kernel, Stages &s, const Expr &ix, const Expr &iy, const Expr &iz) {
    const Expr input =
        s.source(kernel.existing(ix, column), kernel.existing(iy, row), kernel.existing(iz, slice), c, g, n);
    Func slab("slab");
    slab(c, q, rx, jx, jy, jz, y, z, g, n) = select(ix >= 0 && ix < kernel.input_extent(column), input, kernel.zero());
    s.slab = slab;
}

void stage_rows(Kernel &kernel, Stages &s) {
    const RDom columns(0, kernel.input_extent(column), "input_columns");
    // Zeros are left and right of the input. Vectors across channels are stored just there. Where they lie along x, or
    // channels are too few for one, a condition for each would take longer than to clear whole rows.
    const Expr zero = kernel.zero(), outside = x < 0 || x >= kernel.input_extent(column);
    const Expr cleared = s.slab_channels.defined() ? outside || s.slab_channels < kernel.tile().lanes : outside;
    Func slab("slab");
    slab(x, c, y, z, g, n) = kernel.lanes() == Lanes::channels ? select(cleared, zero, undef(zero.type())) : zero;
    slab(columns, c, y, z, g, n) = s.source(columns, y, z, c, g, n);
    s.slab = slab;
    s.slab_rows = {y};
    s.input_columns = columns;
}

namespace {

// The inputs that the last and the first tap of output `o` read, or the nearest ones behind and before, as if all taps
// reached it.
Expr first_read(const Axis<Expr> &axis, const Expr &o, const Expr &kernel) {
    return (axis.origin(o) - (kernel - 1) * axis.dilation + axis.stride - 1) / axis.stride;
}

Expr last_read(const Axis<Expr> &axis, const Expr &o) {
    return axis.origin(o) / axis.stride;
}

}  // namespace

Expr read_row(Kernel &kernel, int dimension, const Expr &o, const Expr &j) {
    const Axis<Expr> axis = kernel.axis(dimension);
    // Of an output that no tap reaches, the first one would be behind the last.
    const Expr last = clamp(last_read(axis, o), 0, kernel.input_extent(dimension) - 1),
               first = clamp(first_read(axis, o, kernel.kernel_size(dimension)), 0, last);
    return kernel.between(axis.input(o, j), first, last);
}

Expr read_column(Kernel &kernel, const Expr &position, const Expr &phase, const Expr &j) {
    const Axis<Expr> axis = kernel.axis(column);
    const Expr first = first_read(axis, 0, kernel.kernel_size(column)), last = last_read(axis, axis.stride - 1);
    return position + kernel.between(axis.input(phase, j), first, last);
}

namespace {

// sum = bias + products of the taps that reach an output and the input that they read, one after the other.
class DirectSum {
public:
    DirectSum(Kernel &kernel, Stages &stages)
        : kernel(kernel), s(stages), X(kernel.axis(column)), Y(kernel.axis(row)), Z(kernel.axis(slice)) {
        if (s.in_place) {
            read_in_place(kernel, s, q + X.input(rx, jx), Y.input(y, jy), Z.input(z, jz));
        } else {
            stage_rows(kernel, s);
        }
        s.sum = Func("sum");
        s.sum(c, q, rx, y, z, g, n) = kernel.bias(c, g, 0);
    }

    // Where no output has more than one tap, as where the kernel is no larger than the stride, loops over taps would
    // take a good part of the time: there is one over input channels alone. Depthwise kernels have nothing to loop over
    // then.
    void add_taps() {
        const Expr one = X.most_taps(KX) == 1 && Y.most_taps(KY) == 1 && Z.most_taps(KZ) == 1;
        if (s.one_tap_apart) {
            RDom only(0, inputs, "only_tap");
            only.where(one);
            add(only, {0, 0, 0});
        }
        RDom taps(0, inputs, 0, X.most_taps(KX), 0, Y.most_taps(KY), 0, Z.most_taps(KZ), "taps");
        if (s.one_tap_apart) {
            taps.where(!one);
        }
        add(taps, {taps[1], taps[2], taps[3]});
    }

private:
    struct TapNumbers {
        Expr x, y, z;
    };

    // Adds the products of taps, in loops of which the first is over input channels. Along z and y, they run over just
    // the taps that exist and read inside the input. Along x, only over those that exist: what they read outside is
    // zero.
    void add(RDom &loops, const TapNumbers &j) {
        const Expr ci = loops[0], kx = X.tap(rx, j.x), ky = Y.tap(y, j.y), kz = Z.tap(z, j.z);
        const Expr ix = read_column(kernel, q, rx, j.x), iy = Y.input(y, j.y), iz = Z.input(z, j.z);
        loops.where(Z.has_taps(z) && kz < KZ && iz >= 0 && iz < D);
        loops.where(Y.has_taps(y) && ky < KY && iy >= 0 && iy < H);
        loops.where(X.has_taps(rx) && kx < KX);

        const bool one = kernel.has_one_panel();
        const Expr panel = one ? Expr(0) : c / kernel.block, lane = one ? Expr(c) : c % kernel.block;
        const Expr w = kernel.weight(lane, ci, within(kx, KX), within(ky, KY), within(kz, KZ), panel, g);
        const Expr channel = kernel.is_depthwise() ? Expr(c) : ci;
        const Expr i = s.in_place
                           ? s.slab(channel, q, rx, j.x, j.y, j.z, y, z, g, n)
                           : s.slab(ix, channel, read_row(kernel, row, y, j.y), read_row(kernel, slice, z, j.z), g, n);
        const Expr so_far = s.sum(c, q, rx, y, z, g, n);
        if (kernel.facts().sums == Sums::pairs) {
            s.sum(c, q, rx, y, z, g, n) = add_dot_of_pairs(so_far, reinterpret<uint32_t>(w), i, kernel.target());
        } else {
            s.sum(c, q, rx, y, z, g, n) = so_far + w * i;
        }
        s.taps.push_back(loops);
    }

    Kernel &kernel;
    Stages &s;
    const Axis<Expr> X, Y, Z;
    const Expr KX = kernel.kernel_size(column), KY = kernel.kernel_size(row), KZ = kernel.kernel_size(slice);
    const Expr H = kernel.input_extent(row), D = kernel.input_extent(slice), inputs = kernel.summed_channels();
};

}  // namespace

void sum_directly(Kernel &kernel, Stages &stages) {
    DirectSum(kernel, stages).add_taps();
}

}  // namespace unstride
