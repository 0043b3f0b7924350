#include <map>
#include <string>

#include "axis.h"
#include "element.h"
#include "epilogue.h"
#include "known.h"
#include "minimal_filter.h"
#include "stages.h"

namespace unstride {
namespace {

using namespace Halide;

enum class Layout { NCDHW, NDHWC };

std::map<std::string, Family> names_of_families() {
    std::map<std::string, Family> names;
    for (const FamilyFacts &facts : families) {
        names.emplace(facts.name, facts.family);
    }
    return names;
}

// output(n, g, c, z, y, x) = bias(g, c) + sum over input channels and taps of weight * input, each output written once.
class TransposedConvolution : public Generator<TransposedConvolution> {
public:
    // A depthwise kernel sees a layer of as many groups as channels as one group whose output channel c reads input
    // channel c alone: the input has the output's channels, and the weights have one input channel.
    //
    // A winograd kernel computes the outputs of z and y in pairs, by minimal filters. It sees a phase of z and y as a
    // layer of stride 1 there. Weights are those of the filters: dimensions ky and kz have one more than the phase has
    // taps.
    //
    // A pairs kernel sees two input channels of bf16 as one, in 32 bits, as some processors multiply such pairs and add
    // both products at once. Weights are pairs, too, in the 32 bits of an f32. The last one of an odd number of
    // channels has a zero.
    //
    // A quads kernel is for a GPU and ndhwc: its threads read four input channels at once, of which there is a multiple
    // of 4.
    //
    // A taps kernel multiplies a position by all taps of y and x at once. Lanes of the weights are output channels and
    // taps of y and x, the latter innermost; the extents of dimensions kx and ky tell how many taps there are, and
    // their strides are 0.
    GeneratorParam<Family> family{"family", Family::channels, names_of_families()};
    GeneratorParam<Layout> layout{"layout", Layout::NCDHW, {{"ncdhw", Layout::NCDHW}, {"ndhwc", Layout::NDHWC}}};
    // 1: the phases along x are a dimension of the output, and there may be any number of them. n > 1: the output's
    // columns are all columns, interleaved in the kernel from the n phases of an undilated layer of this stride.
    GeneratorParam<int> interleave{"interleave", 1};
    GeneratorParam<int> block{"block", 16};      // output channels of a register tile, and of a panel of weights
    GeneratorParam<int> columns{"columns", 16};  // output columns of one phase in a register tile
    // Of elements in memory. Weights, bias and all sums have the type that the input's are computed with.
    GeneratorParam<Element::Type> input_type{"input_type", Element::Type::F32, Element::names()},
        output_type{"output_type", Element::Type::F32, Element::names()};

    // For one layer. Hand-written schedules need no more than the channels that are summed up: knowing the others and
    // the sizes, too, was not measurably faster. Autoschedulers need all of it.
    Known known_x{"x"}, known_y{"y"}, known_z{"z"};
    GeneratorParam<int> known_inputs{"known_inputs",
                                     passed};  // channels of a group, of which a depthwise kernel sees one
    GeneratorParam<int> known_outputs{"known_outputs", passed}, known_groups{"known_groups", passed},
        known_batch{"known_batch", passed};

    // Forms of the same algorithm, for autoschedulers: whether what is known are just estimates, and all of it stays
    // passed; and whether the input is read where it is, as hand-written schedules of a GPU do, or staged.
    GeneratorParam<bool> estimates_only{"estimates_only", false}, in_place{"in_place", false};

    // Dimensions are innermost first, whatever the layout; strides tell ncdhw from ndhwc.
    Input<Buffer<void, 6>> input{"input"};    // (x, y, z, channel within its group, group, batch)
    Input<Buffer<void, 7>> weight{"weight"};  // (lane, input channel, kx, ky, kz, block of output channels, group)
    // (output channel within its group, padded to whole blocks; group; 0: bias, 1 and 2: what the activation's formula
    // takes)
    Input<Buffer<void, 3>> bias{"bias"};
    Input<Buffer<void, 7>> residual{"residual"};  // as the output

    Input<int> padding_x{"padding_x"}, padding_y{"padding_y"}, padding_z{"padding_z"};
    Input<int> dilation_x{"dilation_x"}, dilation_y{"dilation_y"}, dilation_z{"dilation_z"};
    Input<int> stride_x{"stride_x"}, stride_y{"stride_y"}, stride_z{"stride_z"};
    Input<int> common_x{"common_x"}, common_y{"common_y"}, common_z{"common_z"};  // gcd(stride, dilation)
    Input<int> inverse_x{"inverse_x"}, inverse_y{"inverse_y"},
        inverse_z{"inverse_z"};  // of dilation / common, modulo stride / common
    // What follows the sum: see Epilogue.
    Input<bool> has_residual{"has_residual"};
    Input<int> formula{"formula"};  // of the activation: a Formula that is computed in registers
    // How work is split; does not change the result.
    Input<int> rows_per_task{"rows_per_task"}, slices_per_task{"slices_per_task"}, items_per_task{"items_per_task"};
    Input<int> blocks_per_task{"blocks_per_task"};

    // (position within a phase, phase, y, z, channel within its group, group, batch), or (x, 0, y, z, ...) interleaved
    Output<Buffer<void, 7>> output{"output"};

    void configure() {
        input.set_type(element(input_type).stored());
        weight.set_type(sums());
        bias.set_type(sums());
        residual.set_type(element(output_type).stored());
        output.set_type(element(output_type).stored());
    }

    void generate() {
        const int s = interleave;
        // The padding that a call for some of the phases passes has the first of them added.
        const Axis<Expr> X = s == 1 ? axis(known_x, stride_x, dilation_x, common_x, inverse_x, padding_x)
                                    : Axis<Expr>{s, 1, 1, 1, known(known_x.padding, padding_x)};
        stages.interleave = s;
        stages.channels_last = layout == Layout::NDHWC;
        stages.lanes = layout == Layout::NDHWC ? facts().ndhwc : facts().ncdhw;
        stages.minimal_filters = facts().sums == Sums::winograd;
        stages.rows_per_task = rows_per_task;
        stages.slices_per_task = slices_per_task;
        stages.items_per_task = items_per_task;
        stages.blocks_per_task = blocks_per_task;
        stages.gpu = get_target().has_gpu_feature();
        stages.in_place = in_place || (stages.gpu && !using_autoscheduler());
        stages.source = source();
        if (facts().sums == Sums::winograd) {
            sum_by_winograd(X);
        } else if (facts().sums == Sums::taps) {
            sum_by_taps(X);
        } else {
            sum_directly(X);
        }
        Func phases("phases");
        phases(c, q, rx, y, z, g, n) = stages.sum(c, q, rx, y, z, g, n);
        const Expr value = element(output_type).store(epilogue(phases(c, x / s, p + x % s, y, z, g, n)));
        channels_first() ? output(c, x, p, y, z, g, n) = value : output(x, p, y, z, c, g, n) = value;
        stages.phases = phases;
        stages.output = output;
    }

    // Nothing follows the layers that autoschedulers get: Mullapudi2016 fails where there is a branch.
    Expr epilogue(const Expr &sum) {
        if (using_autoscheduler()) {
            add_requirement(formula == static_cast<int>(Formula::none) && !has_residual,
                            "this kernel computes no activation and adds no residual");
            return sum;
        }
        return Epilogue{has_residual, element(output_type).load(residual(x, p, y, z, c, g, n)), formula, bias(c, g, 1),
                        bias(c, g, 2)}(sum);
    }

    // The input, whose last element repeats where a schedule computes beyond it: whole blocks of what it turns, and in
    // a depthwise kernel lanes of channels that are not stored.
    Func source() {
        const auto existing = [&](const Expr &index, int d) { return clamp(index, 0, input_extent(d) - 1); };
        const auto stored = [&](const Expr &channel) {
            if (across_channels() && !stages.channels_last) {
                return input(existing(likely(x), 0), existing(y, 1), existing(z, 2), existing(channel, 3), g,
                             existing(n, 5));
            }
            return channels_first() ? input(channel, x, y, z, g, n) : input(x, y, z, channel, g, n);
        };
        Func source("source");
        if (pairs()) {
            const auto member = [&](const Expr &channel) { return stored(min(likely(channel), input_extent(3) - 1)); };
            source(x, y, z, c, g, n) = concat_bits(
                {member(2 * c), select(likely(2 * c + 1 < input_extent(3)), member(2 * c + 1), cast<uint16_t>(0))});
        } else {
            source(x, y, z, c, g, n) =
                element(input_type).load(stored(depthwise() ? min(likely(c), input_extent(3) - 1) : Expr(c)));
        }
        return source;
    }

    // The rows of the slices that the taps along z read.
    void stage_rows(const Axis<Expr> &Z) {
        const RDom columns(0, input_extent(0), "input_columns");
        Func slab("slab");
        slab(x, c, y, jz, z, g, n) = zero();
        slab(columns, c, y, jz, z, g, n) =
            stages.source(columns, y, clamp(Z.input(z, jz), 0, input_extent(2) - 1), c, g, n);
        stages.slab = slab;
        stages.slab_rows = {y, jz};
        stages.input_columns = columns;
    }

    // On a GPU, which has nothing staged: the input that a tap of an output reads, or zero left and right of it. All
    // that it is asked for are variables of loops, so that bounds inference knows it to be one element.
    Func read_in_place(const Axis<Expr> &X, const Axis<Expr> &Y, const Axis<Expr> &Z) {
        const auto existing = [&](const Expr &index, int d) { return clamp(index, 0, input_extent(d) - 1); };
        const Expr ix = q + X.input(rx, jx);
        Func slab("slab");
        slab(c, q, rx, jx, jy, jz, y, z, g, n) = select(
            ix >= 0 && ix < input_extent(0),
            stages.source(existing(ix, 0), existing(Y.input(y, jy), 1), existing(Z.input(z, jz), 2), c, g, n), zero());
        stages.slab = slab;
        return slab;
    }

    void sum_directly(const Axis<Expr> &X) {
        const Axis<Expr> Z =
            axis(known_z, stride_z, dilation_z, common_z, inverse_z, known(known_z.padding, padding_z));
        const Axis<Expr> Y =
            axis(known_y, stride_y, dilation_y, common_y, inverse_y, known(known_y.padding, padding_y));
        const Expr H = input_extent(1), D = input_extent(2);
        const Expr KX = known(known_x.kernel, weight.dim(2).extent()),
                   KY = known(known_y.kernel, weight.dim(3).extent()),
                   KZ = known(known_z.kernel, weight.dim(4).extent()),
                   inputs = aligned(known(known_summed(), weight.dim(1).extent()));

        if (!stages.in_place) {
            stage_rows(Z);
        }

        // Along z and y, loops run over just the taps that exist and read inside the input. Along x, only over those
        // that exist: what they read outside is zero.
        RDom taps(0, inputs, 0, X.most_taps(KX), 0, Y.most_taps(KY), 0, Z.most_taps(KZ), "taps");
        const Expr ci = taps[0], channel = depthwise() ? Expr(c) : ci;
        const Expr kx = X.tap(rx, taps[1]), ky = Y.tap(y, taps[2]), kz = Z.tap(z, taps[3]);
        const Expr ix = q + X.input(rx, taps[1]), iy = Y.input(y, taps[2]), iz = Z.input(z, taps[3]);
        taps.where(Z.has_taps(z) && kz < KZ && iz >= 0 && iz < D);
        taps.where(Y.has_taps(y) && ky < KY && iy >= 0 && iy < H);
        taps.where(X.has_taps(rx) && kx < KX);

        Func sum("sum");
        sum(c, q, rx, y, z, g, n) = bias(c, g, 0);
        const bool one_panel = known_outputs != passed && panels() == 1 && !estimates_only;
        const Expr w = weight(one_panel ? Expr(c) : c % block, ci, within(kx, KX), within(ky, KY), within(kz, KZ),
                              one_panel ? Expr(0) : c / block, g);
        const Expr i = stages.in_place
                           ? read_in_place(X, Y, Z)(channel, q, rx, taps[1], taps[2], taps[3], y, z, g, n)
                           : stages.slab(ix, channel, within(iy, H), within(taps[3], Z.tap_count(z, KZ)), z, g, n);
        const Expr so_far = sum(c, q, rx, y, z, g, n);
        sum(c, q, rx, y, z, g, n) =
            pairs() ? add_dot_of_pairs(so_far, reinterpret<uint32_t>(w), i, get_target()) : so_far + w * i;

        stages.sum = sum;
        stages.taps = taps;
    }

    // sum = bias + sums and differences of products: see MinimalFilter.
    void sum_by_winograd(const Axis<Expr> &X) {
        const Expr W = input_extent(0), H = input_extent(1), D = input_extent(2);
        const Expr KX = weight.dim(2).extent(), inputs = weight.dim(1).extent();
        const MinimalFilter Y{weight.dim(3).extent() - 1}, Z{weight.dim(4).extent() - 1};

        const RDom columns(0, W, "input_columns");
        // A row that the sum lacks counts nothing, in place of a condition for each row.
        Expr staged = zero();
        for (int tz = 0; tz < 2; tz++) {
            for (int ty = 0; ty < 2; ty++) {
                const Expr iy = 2 * y + padding_y + Y.input(my, ty), iz = 2 * z + padding_z + Z.input(mz, tz);
                const Expr sign =
                    select(Y.has_term(my, ty) && iy >= 0 && iy < H && Z.has_term(mz, tz) && iz >= 0 && iz < D,
                           Y.input_sign(my, ty) * Z.input_sign(mz, tz), 0.f);
                staged += sign * stages.source(columns, clamp(iy, 0, H - 1), clamp(iz, 0, D - 1), c, g, n);
            }
        }
        Func slab("slab");
        slab(x, c, my, y, mz, z, g, n) = zero();
        slab(columns, c, my, y, mz, z, g, n) = staged;

        RDom taps(0, inputs, 0, X.most_taps(KX), "taps");
        const Expr ci = taps[0], kx = X.tap(rx, taps[1]), ix = q + X.input(rx, taps[1]);
        taps.where(X.has_taps(rx) && kx < KX);
        Func product("product"), products("products");
        product(c, q, rx, my, mz, y, z, g, n) = zero();
        product(c, q, rx, my, mz, y, z, g, n) +=
            weight(c % block, ci, within(kx, KX), my, mz, c / block, g) * slab(ix, ci, my, y, mz, z, g, n);
        products(c, q, rx, my, mz, y, z, g, n) = product(c, q, rx, my, mz, y, z, g, n);

        const RDom j(0, Y.taps, 0, Z.taps, "j");
        const Expr uy = y % 2, uz = z % 2;
        Func sum("sum");
        sum(c, q, rx, y, z, g, n) = bias(c, g, 0);
        sum(c, q, rx, y, z, g, n) += Y.output_sign(uy, j[0]) * Z.output_sign(uz, j[1]) *
                                     products(c, q, rx, uy + j[0], uz + j[1], y / 2, z / 2, g, n);

        stages.slab = slab;
        stages.slab_rows = {my, y, mz};
        stages.input_columns = columns;
        stages.product = product;
        stages.products = products;
        stages.product_taps = taps;
        stages.sum = sum;
        stages.taps = j;
    }

    // sum = bias + products of the phase's taps along y and x, each of which is a sum over input channels and taps
    // along z.
    void sum_by_taps(const Axis<Expr> &X) {
        const Axis<Expr> Z{stride_z, dilation_z, common_z, inverse_z, padding_z},
            Y{stride_y, dilation_y, common_y, inverse_y, padding_y};
        const Expr H = input_extent(1), D = input_extent(2);
        const Expr KX = weight.dim(2).extent(), KY = weight.dim(3).extent(), KZ = weight.dim(4).extent();

        stage_rows(Z);

        RDom taps(0, weight.dim(1).extent(), 0, Z.most_taps(KZ), "taps");
        const Expr ci = taps[0], kz = Z.tap(z, taps[1]), iz = Z.input(z, taps[1]);
        taps.where(Z.has_taps(z) && kz < KZ && iz >= 0 && iz < D);
        Func product("product"), products("products");
        product(c, q, rx, y, z, g, n) = zero();
        product(c, q, rx, y, z, g, n) += weight(c % block, ci, 0, 0, within(kz, KZ), c / block, g) *
                                         stages.slab(q, ci, y, within(taps[1], Z.tap_count(z, KZ)), z, g, n);
        products(c, x, y, z, g, n) = zero();
        const RVar &columns = stages.input_columns;
        products(c, columns, y, z, g, n) = product(c, columns, 0, y, z, g, n);

        RDom j(0, X.most_taps(KX), 0, Y.most_taps(KY), "j");
        const Expr kx = X.tap(rx, j[0]), ky = Y.tap(y, j[1]), iy = Y.input(y, j[1]);
        j.where(Y.has_taps(y) && ky < KY && iy >= 0 && iy < H);
        j.where(X.has_taps(rx) && kx < KX);
        Func sum("sum");
        sum(c, q, rx, y, z, g, n) = bias(c, g, 0);
        sum(c, q, rx, y, z, g, n) +=
            products((within(c, output_dim(4).extent()) * KY + within(ky, KY)) * KX + within(kx, KX),
                     q + X.input(rx, j[0]), within(iy, H), z, g, n);

        stages.product = product;
        stages.products = products;
        stages.product_taps = taps;
        stages.sum = sum;
        stages.taps = j;
    }

    void schedule() {
        for (int d = 0; d < 7; d++) {
            weight.dim(d).set_min(0);
        }
        for (int d = 0; d < 6; d++) {
            input.dim(d).set_min(0);
        }
        weight.dim(0).set_bounds(0, block);
        weight.dim(1).set_stride(block);
        if (depthwise()) {
            weight.dim(1).set_extent(1);
        }
        set_known_bounds();
        bias.dim(0).set_min(0);
        bias.dim(1).set_min(0);
        bias.dim(2).set_min(0);
        input.dim(0).set_stride(Expr());
        input_dim(stages.channels_last ? 3 : 0).set_stride(1);
        constrain(output);
        constrain(residual);
        if (using_autoscheduler()) {
            set_estimates();
            return;
        }
        const Tile tile{block, columns, natural_vector_size(sums())};
        if (stages.gpu) {
            set_aligned_strides();
        }
        schedule_of(family, stages.gpu)(stages, tile);
    }

private:
    // What the conditions of a sum ensure, said so that bounds inference knows it too.
    static Expr within(const Expr &index, const Expr &extent) {
        return unsafe_promise_clamped(index, 0, extent - 1);
    }

    Element element(Element::Type type) const {
        return {type, get_target()};
    }
    Type sums() const {
        return element(input_type).computed();
    }
    // Of what is staged.
    Expr zero() const {
        return Internal::make_zero(pairs() ? UInt(32) : sums());
    }

    const FamilyFacts &facts() const {
        return facts_of(family);
    }

    bool depthwise() const {
        return family == Family::depthwise;
    }

    bool pairs() const {
        return facts().sums == Sums::pairs;
    }

    bool across_channels() const {
        return stages.lanes == Lanes::channels;
    }

    // Autoschedulers take the first dimension for the dense one.
    bool channels_first() const {
        return using_autoscheduler() && layout == Layout::NDHWC;
    }

    // By its number where channels are not first.
    Internal::Dimension input_dim(int d) {
        return input.dim(place(d, 3));
    }
    Internal::Dimension output_dim(int d) {
        return output.dim(place(d, 4));
    }

    // What a kernel knows of the output, and of what has its shape.
    template<typename Outputs>
    void constrain(Outputs &outputs) {
        for (int d = 0; d < 7; d++) {
            outputs.dim(d).set_min(0);
        }
        outputs.dim(0).set_stride(Expr());
        if (stages.channels_last) {
            outputs.dim(place(4, 4)).set_stride(1);
        } else if (stages.interleave > 1) {
            outputs.dim(0).set_stride(1);
        }
        if (stages.interleave > 1) {
            outputs.dim(place(1, 4)).set_extent(1);
        }
    }
    Expr input_extent(int d) {
        const int extents[] = {known_x.input, known_y.input, known_z.input, passed, passed, known_batch};
        return extents[d] == passed || estimates_only ? input_dim(d).extent() : extents[d];
    }
    int place(int d, int channel) const {
        return !channels_first() || d > channel ? d : d == channel ? 0 : d + 1;
    }

    // What is known takes the place of what is passed; a call that passes something else is an error.
    Expr known(int value, const Expr &expr) {
        if (value == passed || estimates_only) {
            return expr;
        }
        add_requirement(expr == value, "this kernel is for another layer");
        return value;
    }

    Axis<Expr> axis(const Known &dimension, const Expr &stride, const Expr &dilation, const Expr &common,
                    const Expr &inverse, const Expr &padding) {
        if (dimension.stride == passed || estimates_only) {
            return {stride, dilation, common, inverse, padding};
        }
        const Axis<int64_t> a = make_axis(dimension.stride, dimension.dilation, 0);
        return {known(int(a.stride), stride), known(int(a.dilation), dilation), known(int(a.common), common),
                known(int(a.inverse), inverse), padding};
    }

    // A quads kernel knows that strides and numbers of input channels are multiples of 4.
    Expr aligned(const Expr &number) const {
        return family == Family::quads ? number / 4 * 4 : number;
    }

    // So that threads of a GPU load several weights, or channels, at once.
    void set_aligned_strides() {
        for (int d = 1; d < 6; d++) {
            weight.dim(d + 1).set_stride(weight.dim(d).stride() * weight.dim(d).extent());
        }
        if (family == Family::quads) {
            for (int d : {0, 1, 2, 4, 5}) {
                input.dim(d).set_stride(aligned(input.dim(d).stride()));
            }
            input_dim(3).set_extent(aligned(input_extent(3)));
            weight.dim(1).set_extent(aligned(weight.dim(1).extent()));
        }
    }

    // Input channels of a group, as the kernel sees them.
    int known_summed() const {
        return pairs() && known_inputs != passed ? (known_inputs + 1) / 2 : int(known_inputs);
    }

    void set_known_bounds() {
        int stride = block;  // panels are dense
        const int extents[] = {known_summed(), known_x.kernel, known_y.kernel, known_z.kernel};
        for (int d = 1; d <= 4 && extents[d - 1] != passed && !estimates_only; d++) {
            stride *= extents[d - 1];
            weight.dim(d).set_extent(extents[d - 1]);
            weight.dim(d + 1).set_stride(stride);
        }
        if (known_inputs != passed && !depthwise() && !estimates_only) {
            input_dim(3).set_extent(known_inputs);
        }
    }

    // Of weights, in each group.
    int panels() const {
        const int outputs = known_outputs, panel = block;
        return (outputs + panel - 1) / panel;
    }

    // What an autoscheduler works with.
    void set_estimates() {
        const int channels = depthwise() ? known_outputs : known_inputs,
                  phases = interleave == 1 ? int(known_x.stride) : 1;
        estimate([&](int d) { return input_dim(d); },
                 {known_x.input, known_y.input, known_z.input, channels, known_groups, known_batch}, estimates_only);
        estimate([&](int d) { return weight.dim(d); },
                 {block, known_inputs, known_x.kernel, known_y.kernel, known_z.kernel, panels(), known_groups},
                 estimates_only);
        estimate([&](int d) { return bias.dim(d); }, {panels() * block, known_groups, 3}, estimates_only);
        const std::vector<int> outputs = {(known_x.output + phases - 1) / phases,
                                          phases,
                                          known_y.output,
                                          known_z.output,
                                          known_outputs,
                                          known_groups,
                                          known_batch};
        estimate([&](int d) { return output_dim(d); }, outputs, estimates_only);
        estimate([&](int d) { return residual.dim(place(d, 4)); }, outputs, estimates_only);
        has_residual.set_estimate(false);
        formula.set_estimate(static_cast<int>(Formula::none));
        AxisArguments<Input<int>>{padding_x, dilation_x, stride_x, common_x, inverse_x}.estimate(known_x);
        AxisArguments<Input<int>>{padding_y, dilation_y, stride_y, common_y, inverse_y}.estimate(known_y);
        AxisArguments<Input<int>>{padding_z, dilation_z, stride_z, common_z, inverse_z}.estimate(known_z);
        for (Input<int> *split : {&rows_per_task, &slices_per_task, &items_per_task, &blocks_per_task}) {
            split->set_estimate(1);
        }
    }

    Stages stages;
};

}  // namespace
}  // namespace unstride

HALIDE_REGISTER_GENERATOR(unstride::TransposedConvolution, transposed_convolution)
