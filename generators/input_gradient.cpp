#include <stdexcept>

#include "epilogue.h"
#include "llvm_options.h"
#include "sums.h"

namespace unstride {
namespace {

using namespace Halide;

// input_gradient(n, g, ci, i) = sum over output channels and taps of weight * output_gradient, each input written once,
// or added to what is there. The gradient of the output is what the kernel has for its input, and that of the input is
// its output: `c` counts the layer's input channels, and x, y and z its inputs. As a sum over taps, it is
//
//     sum(ci, i) = sum over co, k of weight(ci, co, k) * output_gradient(co, i * stride - padding + k * dilation)
//
// so that all taps of an input are one run, and the inputs along x are one phase, whose position q is x.
class GradientSum {
public:
    GradientSum(Kernel &kernel, Stages &stages)
        : kernel(kernel), s(stages), X(kernel.axis(column)), Y(kernel.axis(row)), Z(kernel.axis(slice)) {
    }

    void define() {
        const bool in_phases = !s.in_place && s.lanes == Lanes::columns;
        if (!s.in_place && !kernel.is_depthwise()) {
            s.slab_channels = kernel.summed_channels();
        }
        if (s.gpu) {
            read_in_place(kernel, s, X.output(q, jx), Y.output(y, jy), Z.output(z, jz));
        } else if (s.in_place) {
            // Nothing is staged.
        } else if (in_phases) {
            stage_phases();
        } else {
            stage_rows(kernel, s);
        }

        const Expr KX = kernel.kernel_size(column), KY = kernel.kernel_size(row), KZ = kernel.kernel_size(slice);
        const Expr H = kernel.input_extent(row), D = kernel.input_extent(slice);
        RDom taps(0, kernel.summed_channels(), 0, KX, 0, KY, 0, KZ, "taps");
        const Expr co = taps[0], kx = taps[1], ky = taps[2], kz = taps[3];
        const Expr ox = X.output(q, kx), oy = Y.output(y, ky), oz = Z.output(z, kz), W = kernel.input_extent(column);
        taps.where(oz >= 0 && oz < D);
        taps.where(oy >= 0 && oy < H);

        const Expr w = kernel.weight(c % kernel.block, co, kx, ky, kz, c / kernel.block, g);
        const Expr channel = kernel.is_depthwise() ? Expr(c) : co;
        Expr gradient;
        if (s.gpu) {
            gradient = s.slab(channel, q, rx, kx, ky, kz, y, z, g, n);
        } else if (s.in_place) {
            // Zero takes the place of what does not exist, as in a slab.
            const Expr existing = s.source(kernel.existing(ox, column), within(oy, H), within(oz, D), channel, g, n);
            gradient = select(ox >= 0 && ox < W, existing, kernel.zero());
        } else if (in_phases) {
            const Expr position = unsafe_promise_clamped(s.tap_columns(kx)[0], position_of(0), position_of(KX - 1)),
                       phase = within(s.tap_columns(kx)[1], X.stride);
            gradient = s.slab(q + position, channel, phase, within(oy, H), within(oz, D), g, n);
        } else {
            gradient = s.slab(ox, channel, within(oy, H), within(oz, D), g, n);
        }
        s.sum = Func("sum");
        s.sum(c, q, rx, y, z, g, n) = kernel.zero();
        s.sum(c, q, rx, y, z, g, n) += w * gradient;
        s.taps = {taps};
    }

private:
    // In which column of its phase the gradient is that tap `k` of input 0 along x reads.
    Expr position_of(const Expr &k) const {
        return X.output(0, k) / X.stride;
    }

    // Defines `slab` as vectors along x read it: split into phases along x, of which each tap reads one, so that
    // neighbouring inputs read neighbours in memory. Column x of phase rx is column x * stride + rx of the gradient.
    void stage_phases() {
        const Expr W = kernel.input_extent(column), whole = W / X.stride;
        const auto source = [&](const Expr &column_of_input) { return s.source(column_of_input, y, z, c, g, n); };
        // First the columns that all phases have, then those that only the first ones have.
        RDom columns(0, whole, "input_columns"), last(0, W % X.stride, "last_columns");
        // A single tap along x reads one phase, and no tap the others.
        columns.where(kernel.kernel_size(column) > 1 || rx == X.output(0, 0) % X.stride);
        Func slab("slab");
        slab(x, c, rx, y, z, g, n) = kernel.zero();
        slab(columns, c, rx, y, z, g, n) = source(columns * X.stride + rx);
        slab(whole, c, last, y, z, g, n) = source(whole * X.stride + last);
        s.slab = slab;
        s.slab_rows = {rx, y};
        // Taps look up what would take two divisions each.
        Func tap_columns("tap_columns");
        tap_columns(jx) = {position_of(jx), X.output(0, jx) % X.stride};
        s.tap_columns = tap_columns;
        s.input_columns = columns;
        s.input_step = X.stride;
    }

    Kernel &kernel;
    Stages &s;
    const Axis<Expr> X, Y, Z;
};

class InputGradient : public Generator<InputGradient> {
public:
    Kernel kernel{*this};

    void configure() {
        kernel.set_types();
    }

    void generate() {
        choose_llvm_options(kernel.target(), kernel.facts());
        const Sums sums = kernel.facts().sums;
        if ((sums != Sums::direct && sums != Sums::winograd) || kernel.interleave != 1) {
            throw std::invalid_argument(
                "kernels of the input gradient sum directly or by minimal filters, for any stride");
        }
        kernel.one_phase = true;
        stages = kernel.stages();
        stages.source = source_of(kernel);
        stages.plain = !kernel.has_residual;
        if (sums == Sums::winograd) {
            sum_gradient_by_winograd(kernel, stages);
        } else {
            GradientSum(kernel, stages).define();
        }

        Func phases("phases");
        phases(c, q, rx, y, z, g, n) = stages.sum(c, q, rx, y, z, g, n);
        stages.phases = phases;

        // What is added to is passed as a residual.
        const Expr sum = phases(c, x, p, y, z, g, n);
        const Expr so_far = kernel.load_residual(kernel.residual(x, p, y, z, c, g, n));
        kernel.output(x, p, y, z, c, g, n) = kernel.store(branch(kernel.has_residual, sum + so_far, sum));
        stages.output = kernel.output;
    }

    void schedule() {
        kernel.set_bounds();
        recipe_of(kernel.family, stages.gpu).schedule(stages, kernel.tile());
        if (stages.gpu) {
            kernel.set_aligned_strides();
        } else {
            add_lowering_steps(get_pipeline(), stages);
        }
    }

private:
    Stages stages;
};

}  // namespace
}  // namespace unstride

HALIDE_REGISTER_GENERATOR(unstride::InputGradient, input_gradient)
