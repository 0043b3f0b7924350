#include "kernel.h"

#include <map>

namespace unstride {

using namespace Halide;

namespace {

std::map<std::string, Family> names_of_families() {
    std::map<std::string, Family> names;
    for (const FamilyFacts &facts : families) {
        names.emplace(facts.name, facts.family);
    }
    return names;
}

}  // namespace

KnownAxis::KnownAxis(const std::string &axis)
    : kernel("known_kernel_" + axis, passed), stride("known_stride_" + axis, passed),
      padding("known_padding_" + axis, passed), dilation("known_dilation_" + axis, passed),
      input("known_input_" + axis, passed), output("known_output_" + axis, passed) {
}

AxisArgument::AxisArgument(const std::string &name)
    : arguments{GeneratorInput<int>(name + "_x"), GeneratorInput<int>(name + "_y"), GeneratorInput<int>(name + "_z")} {
}

KernelParameters::KernelParameters() : family("family", Family::channels, names_of_families()) {
}

// ------------------------------------------------------------------------------------------------ what it is

const FamilyFacts &Kernel::facts() const {
    return facts_of(family);
}

Lanes Kernel::lanes() const {
    return layout == Layout::ndhwc ? facts().ndhwc : facts().ncdhw;
}

bool Kernel::is_depthwise() const {
    return facts().inputs == Inputs::own;
}

Tile Kernel::tile() const {
    return {block, columns, target().natural_vector_size(sum_type())};
}

Stages Kernel::stages() const {
    Stages stages;
    stages.gpu = target().has_gpu_feature();
    stages.in_place = stages.gpu || reads_in_place(facts());
    stages.cheap_masks = target().has_feature(Target::AVX512);
    stages.one_tap_apart = !stages.gpu && !is_depthwise();
    stages.minimal_filters = facts().sums == Sums::winograd;
    stages.task = facts().task;
    stages.interleave = interleave;
    stages.channels_last = layout == Layout::ndhwc;
    stages.lanes = lanes();
    stages.rows_per_task = rows_per_task;
    stages.slices_per_task = slices_per_task;
    stages.items_per_task = items_per_task;
    stages.blocks_per_task = blocks_per_task;
    return stages;
}

// ------------------------------------------------------------------------------------------------ elements

Target Kernel::target() const {
    return generator.context().target();
}

Expr Kernel::load(const Expr &element) const {
    return Element(input_type, target()).load(element);
}

Expr Kernel::load_residual(const Expr &element) const {
    return Element(output_type, target()).load(element);
}

Expr Kernel::store(const Expr &value) const {
    return Element(output_type, target()).store(value);
}

Type Kernel::sum_type() const {
    return Element(input_type, target()).computed();
}

Expr Kernel::zero() const {
    return Internal::make_zero(facts().sums == Sums::pairs ? UInt(32) : sum_type());
}

// ------------------------------------------------------------------------------------------------ the layer

bool Kernel::is_known(int value) const {
    return value != passed && !estimates_only;
}

// What is known takes the place of what is passed; a call that passes something else is an error.
Expr Kernel::known(int value, const Expr &argument) {
    if (!is_known(value)) {
        return argument;
    }
    generator.add_requirement(argument == value, "this kernel is for another layer");
    return value;
}

Axis<Expr> Kernel::axis(int axis) {
    const KnownAxis &layer = known_axes[axis];
    if (axis == column && interleave > 1) {
        return {int(interleave), 1, 1, 1, known(layer.padding, padding[axis])};
    }
    // A call for some of the phases along x passes the padding with the first of them added.
    const Expr passed_padding = axis == column ? Expr(padding[axis]) : known(layer.padding, padding[axis]);
    if (!is_known(layer.stride)) {
        return {stride[axis], dilation[axis], common[axis], inverse[axis], passed_padding};
    }
    const Axis<int64_t> a = make_axis(layer.stride, layer.dilation, 0);
    return {known(int(a.stride), stride[axis]), known(int(a.dilation), dilation[axis]),
            known(int(a.common), common[axis]), known(int(a.inverse), inverse[axis]), passed_padding};
}

Expr Kernel::kernel_size(int axis) {
    return known(known_axes[axis].kernel, weight.dim(2 + axis).extent());
}

Expr Kernel::summed_channels() {
    return aligned(known(known_summed(), weight.dim(1).extent()));
}

Expr Kernel::input_extent(int dimension) {
    const int extents[] = {known_axes[0].input, known_axes[1].input, known_axes[2].input, passed, passed, known_batch};
    return is_known(extents[dimension]) ? Expr(extents[dimension]) : input_dim(dimension).extent();
}

Expr Kernel::existing(const Expr &index, int dimension) {
    return clamp(index, 0, input_extent(dimension) - 1);
}

Expr Kernel::between(const Expr &index, const Expr &first, const Expr &last) const {
    return all_regions ? clamp(index, first, last) : unsafe_promise_clamped(index, first, last);
}

// A kernel whose loads read several input channels knows that strides and the number of channels are multiples of it.
Expr Kernel::aligned(const Expr &number) const {
    const int multiple = facts().inputs_per_load;
    return multiple > 1 ? number / multiple * multiple : number;
}

int Kernel::known_summed() const {
    const bool in_pairs = facts().sums == Sums::pairs && known_inputs != passed;
    return in_pairs ? (known_inputs + 1) / 2 : int(known_inputs);
}

int Kernel::panels() const {
    const int outputs = known_outputs, panel = block;
    return (outputs + panel - 1) / panel;
}

bool Kernel::has_one_panel() const {
    return is_known(known_outputs) && panels() == 1;
}

}  // namespace unstride
