#include "chunks_of_products.h"
#include "kernel.h"
#include "sums.h"

namespace unstride {
namespace {

using namespace Halide;

// The weight gradient on a GPU, where one call sums up all chunks of positions:
//
//     sums(co, ci, k, g, chunk) = sum over runs of the chunk of
//                                 sum over i, n of the run of input(i, ci, g, n) * grad_output(o, co, g, n)
//
// with o = i * stride - padding + k * dilation, where that output exists, for each tap k and the channels of a group g.
// Runs are boxes of positions of the input, numbered along x, y, z and n, the last of which may be smaller, and a chunk
// is as many runs in a row as another. Positions and runs are added up in their order, as on a CPU
// (weight_gradient.cpp): the sums of both have the same bits where both have fused multiply-adds.
class WeightGradientGpu : public Generator<WeightGradientGpu> {
public:
    KernelParameters parameters;

    Input<Buffer<void, 6>> input{"input"};              // (x, y, z, channel, group, item)
    Input<Buffer<void, 6>> grad_output{"grad_output"};  // the same
    AxisArgument padding{"padding"}, dilation{"dilation"}, stride{"stride"}, run{"run"};
    Input<int> run_items{"run_items"}, kernel_size_x{"kernel_size_x"}, kernel_size_y{"kernel_size_y"};

    // (output channel, input channel, tap, group, chunk), with the taps in the order of weights in memory. In kernels
    // of family diagonal, channels of the input are those of the output, and the second dimension has one element.
    Output<Buffer<void, 5>> sums{"sums"};

    void configure() {
        input.set_type(element().stored());
        grad_output.set_type(element().stored());
        sums.set_type(element().computed());
    }

    void generate() {
        // As many runs as there are come before those of a chunk, and this quotient cannot overflow.
        const Expr chunks = sums.dim(4).extent(), all = runs();
        const auto first_run = [&](const Expr &of) { return all / chunks * of + all % chunks * of / chunks; };
        Expr number = first_run(chunk) + run_of_chunk;

        const std::vector<Expr> weight{co, ci, tap, g, chunk};
        std::vector<Expr> weight_in_run = weight;
        weight_in_run.emplace_back(run_of_chunk);
        s.in_run = Func("in_run");
        s.in_run(weight_in_run) = Internal::make_zero(element().computed());
        RDom r(0, run[column], 0, run[row], 0, run[slice], 0, run_items, "positions");
        // The positions of a run along a dimension whose output exists are a first one and some after it. Both are
        // numbers of a thread, computed once for a run.
        const auto from = [&](int dimension, const Expr &first, const Expr &end) {
            const Func begin("begin"), count("count");
            begin(tap, chunk, run_of_chunk) = first;
            count(tap, chunk, run_of_chunk) = end - first;
            s.boxes.push_back(begin);
            s.boxes.push_back(count);
            r.where(r[dimension == item ? 3 : dimension] < count(tap, chunk, run_of_chunk));
            return begin(tap, chunk, run_of_chunk) + r[dimension == item ? 3 : dimension];
        };
        const auto next = [&](int dimension, const Expr &extent_of_run) {
            const Expr along = runs_along(dimension, extent_of_run), first = number % along * extent_of_run;
            number = number / along;
            return first;
        };
        const auto position = [&](int axis, const Expr &k) {
            const Expr first = next(axis, run[axis]), begin = output_of(axis, 0, k), step = stride[axis];
            const Expr end = (grad_output.dim(axis).extent() - 1 - begin) / step + 1;
            return from(axis, max(first, (step - 1 - begin) / step),
                        min(first + run[axis], min(end, input.dim(axis).extent())));
        };
        const Expr kx = tap % kernel_size_x, ky = tap / kernel_size_x % kernel_size_y,
                   kz = tap / kernel_size_x / kernel_size_y;
        const Expr ix = position(column, kx), iy = position(row, ky), iz = position(slice, kz);
        const Expr first_item = next(item, run_items);
        const Expr in = from(item, first_item, min(first_item + run_items, input.dim(item).extent()));
        const Expr ox = output_of(column, ix, kx), oy = output_of(row, iy, ky), oz = output_of(slice, iz, kz);
        s.in_run(weight_in_run) += element().load(at(input, ix, iy, iz, is_diagonal() ? co : ci, in)) *
                                   element().load(at(grad_output, ox, oy, oz, co, in));

        s.positions = r;

        s.runs = RDom(0, all / chunks + 1, "runs");
        s.runs.where(s.runs < first_run(chunk + 1) - first_run(chunk));
        weight_in_run.back() = s.runs;
        sums(weight) = Internal::make_zero(element().computed());
        sums(weight) += s.in_run(weight_in_run);
        s.sums = sums;
    }

    void schedule() {
        for (Input<Buffer<void, 6>> *array : {&input, &grad_output}) {
            for (int d = 0; d < 6; d++) {
                array->dim(d).set_min(0);
            }
            array->dim(0).set_stride(Expr());
            array->dim(is_channels_last() ? channel : column).set_stride(1);
        }
        for (int d = 0; d < 5; d++) {
            sums.dim(d).set_min(0);
        }
        s.channels_last = is_channels_last();
        schedule_chunks_of_products(s, {parameters.block, parameters.columns, 1});
    }

private:
    Element element() const {
        return {parameters.input_type, get_target()};
    }
    bool is_diagonal() const {
        return parameters.family == Family::diagonal;
    }
    bool is_channels_last() const {
        return parameters.layout == Layout::ndhwc;
    }

    Expr runs_along(int dimension, const Expr &extent_of_run) {
        return (input.dim(dimension).extent() + extent_of_run - 1) / extent_of_run;
    }
    Expr runs() {
        return runs_along(column, run[column]) * runs_along(row, run[row]) * runs_along(slice, run[slice]) *
               runs_along(item, run_items);
    }

    // The output that an input meets in a tap.
    Expr output_of(int axis, const Expr &input_index, const Expr &k) {
        return input_index * stride[axis] - padding[axis] + k * dilation[axis];
    }

    // An element that exists, but for the channel: the last one repeats in the lanes of a tile that no channel fills.
    static Expr at(Input<Buffer<void, 6>> &array, const Expr &ax, const Expr &ay, const Expr &az,
                   const Expr &of_channel, const Expr &of_item) {
        const auto existing = [&](const Expr &index, int dimension) {
            return within(index, array.dim(dimension).extent());
        };
        return array(existing(ax, column), existing(ay, row), existing(az, slice),
                     min(of_channel, array.dim(channel).extent() - 1), g, existing(of_item, item));
    }

    ChunksOfProducts s;
};

}  // namespace
}  // namespace unstride

HALIDE_REGISTER_GENERATOR(unstride::WeightGradientGpu, weight_gradient_gpu)
