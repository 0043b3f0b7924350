#include "kernel.h"
#include "llvm_options.h"
#include "outer_products.h"
#include "sums.h"

namespace unstride {
namespace {

using namespace Halide;

// Adds to `partial` the products of an input and the output's gradient, summed over the positions of a box of inputs:
//
//     partial(ci, co, k) += sum over n, i of input(n, ci, i) * grad_output(n, co, i * stride - padding + k * dilation)
//
// where that output exists, for each tap k and the channels of one group. The sum starts at zero, and adds up the
// positions in the order of x, y, z, n, whatever the tile: all kernels with fused multiply-adds give the same bits.
class WeightGradient : public Generator<WeightGradient> {
public:
    KernelParameters parameters;

    Input<Buffer<void, 6>> input{"input"};              // (x, y, z, channel, 1 group, item)
    Input<Buffer<void, 6>> grad_output{"grad_output"};  // the same
    AxisArgument padding{"padding"}, dilation{"dilation"}, stride{"stride"}, kernel_size{"kernel_size"};

    // (lane, other, kx, ky, kz, block of lanes, block of others). In kernels of family outputs, lanes are output
    // channels and others input channels. In the other families, others are taps along x, so that the third dimension
    // counts blocks of these: in family inputs, lanes are input channels, and a block of others is an output channel;
    // in family diagonal, lanes are channels of both. Blocks are whole: what no weight stands for has no meaning.
    Output<Buffer<void, 7>> partial{"partial"};

    void configure() {
        input.set_type(element().stored());
        grad_output.set_type(element().stored());
        partial.set_type(element().computed());
    }

    void generate() {
        choose_llvm_options(target, facts_of(parameters.family));
        s.channels_last = parameters.layout == Layout::ndhwc;
        s.input.width = is(Family::outputs) ? others() : lanes();
        s.grad_output.width = is(Family::inputs) ? 1 : lanes();
        describe(s.input, input, 1);
        describe(s.grad_output, grad_output, stride[column]);
        stage_input();
        stage_grad_output();

        const Expr x_lane = is(Family::outputs) ? Expr(other) : Expr(lane);
        const Expr x_block = is(Family::outputs) ? Expr(other_block) : Expr(lane_block);
        const Expr g_lane = is(Family::inputs) ? Expr(0) : Expr(lane);
        const Expr g_block = is(Family::inputs) ? Expr(other_block) : Expr(lane_block);
        // The last tap repeats in a last tile of taps that is not full.
        const Expr kx = has_tiles_of_taps() ? min(tap_x * others() + other, kernel_size[column] - 1) : Expr(tap_x);

        s.sum = Func("sum");
        s.sum(lane, other, tap_x, tap_y, tap_z, lane_block, other_block) = Internal::make_zero(element().computed());
        RDom r(0, input.dim(column).extent(), 0, input.dim(row).extent(), 0, input.dim(slice).extent(), 0,
               input.dim(5).extent(), "positions");
        exists_along(r, r[0], column, kx, has_tiles_of_taps() && others() > 1);
        exists_along(r, r[1], row, tap_y, false);
        exists_along(r, r[2], slice, tap_z, false);
        // Position x meets output x * stride + first, which is column x + first / stride of a phase.
        const Expr first = output_of(0, column, kx);
        const Expr ox = within(r[0] + first / stride[column], s.grad_output.columns_of_phase);
        s.sum(lane, other, tap_x, tap_y, tap_z, lane_block, other_block) +=
            s.input.staged(x_lane, r[0], 0, r[1], r[2], r[3], x_block) *
            s.grad_output.staged(g_lane, ox, within(first % stride[column], stride[column]), r[1], r[2], r[3], g_block,
                                 tap_y, tap_z);
        s.positions = r;
        s.rows = input.dim(row).extent();
        s.slices = input.dim(slice).extent();
        s.items = input.dim(5).extent();

        partial(lane, other, tap_x, tap_y, tap_z, lane_block, other_block) = undef(element().computed());
        partial(lane, other, tap_x, tap_y, tap_z, lane_block, other_block) +=
            s.sum(lane, other, tap_x, tap_y, tap_z, lane_block, other_block);
        s.partial = partial;
    }

    void schedule() {
        for (Input<Buffer<void, 6>> *array : {&input, &grad_output}) {
            for (int d = 0; d < 6; d++) {
                array->dim(d).set_min(0);
            }
            array->dim(0).set_stride(Expr());
            array->dim(group).set_extent(1);
            array->dim(s.channels_last ? channel : column).set_stride(1);
        }
        partial.dim(0).set_bounds(0, lanes());
        partial.dim(1).set_bounds(0, others()).set_stride(lanes());
        partial.dim(2).set_stride(lanes() * others());
        for (int d = 2; d < 7; d++) {
            partial.dim(d).set_min(0);
        }
        schedule_outer_products(s, {lanes(), others(), get_target().natural_vector_size(element().computed())});
    }

private:
    Element element() const {
        return {parameters.input_type, get_target()};
    }
    int lanes() const {
        return parameters.block;
    }
    int others() const {
        return parameters.columns;
    }
    bool is(Family family) const {
        return parameters.family == family;
    }
    bool has_tiles_of_taps() const {
        return !is(Family::outputs);
    }

    // The output that an input meets in a tap.
    Expr output_of(const Expr &input_index, int axis, const Expr &tap) {
        return input_index * stride[axis] - padding[axis] + tap * dilation[axis];
    }

    // Keeps just the positions whose output exists. Both bounds depend on the tap alone.
    void exists_along(RDom &r, const RVar &position, int axis, const Expr &tap, bool taps_of_tile) {
        const Expr begin = padding[axis] - tap * dilation[axis], step = stride[axis];
        const Expr first = (begin + step - 1) / step, end = (begin + grad_output.dim(axis).extent() - 1) / step + 1;
        if (!taps_of_tile) {  // a loop from the one to the other
            r.where(position >= first && position < end);
            return;
        }
        // Tiles of several taps have a loop over all positions. Most of these are such that the outputs of all of the
        // tile's taps exist; loops before and after them have a branch for each tap.
        r.where(likely(position >= first) && likely(position < end));
    }

    // The number of a channel: the last one repeats in the lanes of the last block that no channel fills.
    static Expr channel_of(const Operand &operand, const Expr &channels) {
        return min(likely(block * operand.width + lane), channels - 1);
    }

    static void describe(Operand &operand, Input<Buffer<void, 6>> &array, const Expr &phases) {
        operand.columns = array.dim(column).extent();
        operand.phases = phases;
        operand.columns_of_phase = (operand.columns + phases - 1) / phases;
    }

    static Expr existing(const Expr &index, Input<Buffer<void, 6>> &array, int dimension) {
        return clamp(index, 0, array.dim(dimension).extent() - 1);
    }

    Func source_of(const std::string &name, Input<Buffer<void, 6>> &array) const {
        Func source(name);
        source(x, y, z, c, n) = element().load(
            s.channels_last ? array(x, y, z, c, 0, n)
                            : array(existing(likely(x), array, column), y, z, existing(c, array, channel), 0, n));
        return source;
    }

    void stage_input() {
        s.input.source = source_of("input_source", input);
        s.input.rows = Func("input_rows");
        s.input.rows(lane, x, y, z, n, block) =
            s.input.source(x, y, z, channel_of(s.input, input.dim(channel).extent()), n);
        s.input.staged = Func("input_staged");
        s.input.staged(lane, x, p, y, z, n, block) = s.input.rows(lane, x, y, z, n, block);
    }

    void stage_grad_output() {
        s.grad_output.source = source_of("grad_source", grad_output);
        const Expr oy = existing(output_of(y, row, tap_y), grad_output, row),
                   oz = existing(output_of(z, slice, tap_z), grad_output, slice);
        s.grad_output.rows = Func("grad_rows");
        s.grad_output.rows(lane, x, y, z, n, block, tap_y, tap_z) =
            s.grad_output.source(x, oy, oz, channel_of(s.grad_output, grad_output.dim(channel).extent()), n);
        const Expr each = x * stride[column] + p;  // there may be more in the last column of a phase
        const Expr ox = min(s.grad_output.width == 1 ? likely(each) : each, s.grad_output.columns - 1);
        s.grad_output.staged = Func("grad_staged");
        s.grad_output.staged(lane, x, p, y, z, n, block, tap_y, tap_z) = s.grad_output.rows(
            lane, unsafe_promise_clamped(ox, 0, s.grad_output.columns - 1), y, z, n, block, tap_y, tap_z);
    }

    OuterProducts s;
};

}  // namespace
}  // namespace unstride

HALIDE_REGISTER_GENERATOR(unstride::WeightGradient, weight_gradient)
