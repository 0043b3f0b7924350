#include "kernel.h"

// What a kernel knows of its arrays before it is called: types, which dimensions are dense, and of a known layer the
// extents. A call with arrays that are not like this is an error.

namespace unstride {

using namespace Halide;

namespace {

template<typename Array>
void begin_at_zero(Array &array, int dimensions) {
    for (int d = 0; d < dimensions; d++) {
        array.dim(d).set_min(0);
    }
}

}  // namespace

void Kernel::set_types() {
    const Element stored_input(input_type, target()), stored_output(output_type, target());
    input.set_type(stored_input.stored());
    weight.set_type(sum_type());
    bias.set_type(sum_type());
    residual.set_type(stored_output.stored());
    output.set_type(stored_output.stored());
}

int Kernel::place(int dimension, int channels) const {
    if (!channels_first || dimension > channels) {
        return dimension;
    }
    return dimension == channels ? 0 : dimension + 1;
}

Internal::Dimension Kernel::input_dim(int dimension) {
    return input.dim(place(dimension, channel));
}

Internal::Dimension Kernel::output_dim(int dimension) {
    return output.dim(place(dimension, output_channel));
}

Internal::Dimension Kernel::residual_dim(int dimension) {
    return residual.dim(place(dimension, output_channel));
}

void Kernel::set_bounds() {
    begin_at_zero(weight, 7);
    begin_at_zero(input, 6);
    weight.dim(0).set_bounds(0, block);
    weight.dim(1).set_stride(block);
    if (is_depthwise()) {
        weight.dim(1).set_extent(1);
    }
    set_known_bounds();
    begin_at_zero(bias, 3);
    input.dim(0).set_stride(Expr());
    input_dim(layout == Layout::ndhwc ? channel : column).set_stride(1);
    const auto constrain = [&](auto &array) {
        begin_at_zero(array, 7);
        array.dim(0).set_stride(Expr());
        if (layout == Layout::ndhwc) {
            array.dim(place(output_channel, output_channel)).set_stride(1);
        } else if (interleave > 1 || one_phase) {
            array.dim(0).set_stride(1);
        }
        if (interleave > 1 || one_phase) {
            array.dim(place(1, output_channel)).set_extent(1);
        }
    };
    constrain(output);
    constrain(residual);
}

void Kernel::set_known_bounds() {
    int stride = block;  // panels are dense
    const int extents[] = {known_summed(), known_axes[0].kernel, known_axes[1].kernel, known_axes[2].kernel};
    for (int d = 1; d <= 4 && is_known(extents[d - 1]); d++) {
        stride *= extents[d - 1];
        weight.dim(d).set_extent(extents[d - 1]);
        weight.dim(d + 1).set_stride(stride);
    }
    if (is_known(known_inputs) && !is_depthwise()) {
        input_dim(channel).set_extent(known_inputs);
    }
}

void Kernel::set_aligned_strides() {
    for (int d = 1; d < 6; d++) {
        weight.dim(d + 1).set_stride(weight.dim(d).stride() * weight.dim(d).extent());
    }
    if (facts().inputs_per_load > 1) {
        for (const Dimension d : {column, row, slice, group, item}) {
            input.dim(d).set_stride(aligned(input.dim(d).stride()));
        }
        input_dim(channel).set_extent(aligned(input_extent(channel)));
        weight.dim(1).set_extent(aligned(weight.dim(1).extent()));
    }
}

}  // namespace unstride
