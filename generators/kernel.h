#ifndef UNSTRIDE_GENERATORS_KERNEL_H
#define UNSTRIDE_GENERATORS_KERNEL_H

#include <string>

#include "axis.h"
#include "element.h"
#include "family.h"
#include "stages.h"

namespace unstride {

enum class Layout { ncdhw, ndhwc };

// The dimensions of the input, innermost first; the first three are also the axes of a layer, x, y and z. Dimensions
// are counted like this in both layouts: strides tell ncdhw from ndhwc.
enum Dimension { column, row, slice, channel, group, item };
constexpr int output_channel = 4;  // Output and residual have one more, the phase, behind the columns.

// A kernel for one layer knows numbers of it when it is compiled; those that it does not know are passed by the caller.
constexpr int passed = -1;
struct KnownAxis {
    Halide::GeneratorParam<int> kernel, stride, padding, dilation, input, output;

    explicit KnownAxis(const std::string &axis);
};

// Three arguments, one for each axis, which end in _x, _y and _z.
struct AxisArgument {
    explicit AxisArgument(const std::string &name);

    Halide::GeneratorInput<int> &operator[](int axis) {
        return arguments[axis];
    }

private:
    Halide::GeneratorInput<int> arguments[3];
};

// What a kernel is compiled for.
struct KernelParameters {
    template<typename T>
    using Param = Halide::GeneratorParam<T>;

    // A depthwise kernel sees a layer of as many groups as channels as one group, whose output channel c reads input
    // channel c alone: the input has the output's channels, and the weights have one input channel. A quads kernel is
    // for GPUs and ndhwc: its threads read four input channels at once, of which there has to be a multiple of 4.
    // winograd.cpp, taps.cpp and pairs.h say what kernels of these families see.
    Param<Family> family;
    Param<Layout> layout{"layout", Layout::ncdhw, {{"ncdhw", Layout::ncdhw}, {"ndhwc", Layout::ndhwc}}};
    // 1: the phases along x are a dimension of the output, and there may be any number of them. n > 1: the output's
    // columns are all columns, interleaved in the kernel from the n phases of an undilated layer of this stride.
    Param<int> interleave{"interleave", 1};
    Param<int> block{"block", 16};      // output channels of a register tile, and of a panel of weights
    Param<int> columns{"columns", 16};  // output columns of one phase in a register tile
    // The types of elements in memory. Weights, bias and sums have the type that the input's are computed with.
    Param<Element::Type> input_type{"input_type", Element::Type::F32, Element::names()};
    Param<Element::Type> output_type{"output_type", Element::Type::F32, Element::names()};

    // Kernels with hand-written schedules need to know no more than the axes and the input channels: knowing the other
    // channels and the sizes, too, was not measurably faster. Autoschedulers need all of it.
    KnownAxis known_axes[3] = {KnownAxis("x"), KnownAxis("y"), KnownAxis("z")};
    Param<int> known_inputs{"known_inputs", passed};  // channels of a group, of which a depthwise kernel sees one
    Param<int> known_outputs{"known_outputs", passed};
    Param<int> known_groups{"known_groups", passed};
    Param<int> known_batch{"known_batch", passed};

    KernelParameters();
};

// What a kernel is called with: the signature of all of them (unstride/register.h).
struct KernelArguments {
    template<int dimensions>
    using Array = Halide::Buffer<void, dimensions>;
    template<typename T>
    using Input = Halide::GeneratorInput<T>;

    Input<Array<6>> input{"input"};    // (x, y, z, channel within its group, group, batch)
    Input<Array<7>> weight{"weight"};  // (lane, input channel, kx, ky, kz, block of output channels, group)
    // The first dimension is the output channel within its group, padded to whole blocks, and the second the group.
    // The third has the bias at 0, and at 1 and 2 what the activation's formula takes.
    Input<Array<3>> bias{"bias"};
    Input<Array<7>> residual{"residual"};  // has the shape of the output

    // See Axis. `common` is gcd(stride, dilation), and `inverse` that of dilation / common modulo stride / common.
    AxisArgument padding{"padding"}, dilation{"dilation"}, stride{"stride"}, common{"common"}, inverse{"inverse"};
    // What follows the sum: see Epilogue. The formula is one that is computed in registers.
    Input<bool> has_residual{"has_residual"};
    Input<int> formula{"formula"};
    // How work is split. This does not change the result.
    Input<int> rows_per_task{"rows_per_task"}, slices_per_task{"slices_per_task"};
    Input<int> items_per_task{"items_per_task"}, blocks_per_task{"blocks_per_task"};

    // (position within a phase, phase, y, z, channel within its group, group, batch), or (x, 0, y, z, ...) interleaved
    Halide::GeneratorOutput<Array<7>> output{"output"};
};

// The parameters and arguments of a kernel, and what follows from them. Everything that a kernel knows of its layer is
// asked here, so that the sums need not tell what is known from what is passed.
class Kernel : public KernelParameters, public KernelArguments {
public:
    explicit Kernel(Halide::Internal::GeneratorBase &generator) : generator(generator) {
    }

    // Autoschedulers get another form of the kernel: see autoscheduled.cpp, which alone sets these.
    bool channels_first = false;  // channels are the first dimension of input and output, the others follow
    bool estimates_only = false;  // what is known are just estimates, and all of it stays passed
    bool all_regions = false;     // what single taps read has to be a region, even of taps that do not exist

    // Whether the output has no phases along x, so that its columns are dense in ncdhw. The generator sets this.
    bool one_phase = false;

    // What schedules are told of the kernel: no stage is defined yet.
    Stages stages() const;
    Tile tile() const;

    const FamilyFacts &facts() const;
    Lanes lanes() const;
    bool is_depthwise() const;

    // Elements in memory, and the numbers that are computed with.
    Halide::Target target() const;
    Halide::Expr load(const Halide::Expr &element) const;           // of the input
    Halide::Expr load_residual(const Halide::Expr &element) const;  // of the residual
    Halide::Expr store(const Halide::Expr &value) const;            // as an element of the output
    Halide::Type sum_type() const;                                  // which weights and bias have, too
    Halide::Expr zero() const;                                      // of what is staged

    // The layer: what is known of it, else what is passed.
    Axis<Halide::Expr> axis(int axis);
    Halide::Expr kernel_size(int axis);
    Halide::Expr summed_channels();  // input channels of a group, as the kernel sees them
    Halide::Expr input_extent(int dimension);
    Halide::Expr existing(const Halide::Expr &index, int dimension);  // the nearest index that the input has

    // An index of which the conditions of a sum ensure that it is not out of these bounds, which is told to bounds
    // inference. A clamp would tell it, too, in two instructions for each tap: depthwise layers took 1.3 times as long.
    Halide::Expr between(const Halide::Expr &index, const Halide::Expr &first, const Halide::Expr &last) const;

    // Panels of weights in each group, if the output channels are known.
    int panels() const;
    bool has_one_panel() const;

    // A dimension by the number that it has where channels are not first.
    Halide::Internal::Dimension input_dim(int dimension);
    Halide::Internal::Dimension output_dim(int dimension);
    Halide::Internal::Dimension residual_dim(int dimension);

    void set_types();
    void set_bounds();           // says what all callers ensure of the arrays, and what is known of them
    void set_aligned_strides();  // so that threads of a GPU load several weights, or channels, at once

private:
    bool is_known(int value) const;
    Halide::Expr known(int value, const Halide::Expr &argument);
    Halide::Expr aligned(const Halide::Expr &number) const;
    int known_summed() const;
    int place(int dimension, int channels) const;
    void set_known_bounds();

    Halide::Internal::GeneratorBase &generator;
};

}  // namespace unstride

#endif
