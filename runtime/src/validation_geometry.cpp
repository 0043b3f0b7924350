#include "validation.h"

#include <algorithm>

#include "checked.h"
#include "validation_parts.h"

namespace unstride {
namespace {

// Kernels index the elements of an item in 32 bits.
constexpr int64_t largest_item = (int64_t{1} << 31) - 1;

// PyTorch's rule for the output_size argument of forward, as output padding.
std::array<int64_t, 3> padding_for_size(const ConvTranspose3dOptions &o, const Shape &input_shape,
                                        const std::array<int64_t, 3> &smallest_output, Shape size, int spatial) {
    const size_t rank = input_shape.size(), dimensions = static_cast<size_t>(spatial);
    if (size.size() == rank) {
        size.erase(size.begin(), size.end() - spatial);
    }
    if (size.size() != dimensions) {
        fail("ConvTranspose" + suffix(spatial, 'D') + ": for " + std::to_string(rank) + "D input, output_size must have " + std::to_string(spatial) +
             " or " + std::to_string(rank) + " elements (got " + std::to_string(size.size()) + ")");
    }
    Shape least, most;
    std::array<int64_t, 3> padding{};
    bool valid = true;
    for (int d = 3 - spatial; d < 3; d++) {
        const int64_t requested = size[least.size()];
        least.push_back(smallest_output[d]);
        most.push_back(least.back() + o.stride[d] - 1);
        valid = valid && requested >= least.back() && requested <= most.back();
        padding[d] = valid ? requested - least.back() : 0;
    }
    if (!valid) {
        fail("requested an output size of " + to_string(size) + ", but valid sizes range from " + to_string(least) + " to " +
             to_string(most) + " (for an input of torch.Size(" + to_string(Shape(input_shape.begin() + 2, input_shape.end())) + "))");
    }
    return padding;
}

// Ones in place of the dimensions of space that a batch lacks, up to so many.
Shape lifted(Shape batch, int spatial, int to) {
    batch.insert(batch.begin() + 2, static_cast<size_t>(to - spatial), 1);
    return batch;
}

}  // namespace

Geometry resolve(const ConvTranspose3dOptions &o, const Shape &input_shape, const Shape &output_size, int spatial) {
    const size_t rank = input_shape.size(), batched_rank = static_cast<size_t>(spatial) + 2;
    if (rank != batched_rank - 1 && rank != batched_rank) {
        fail("Expected " + std::to_string(batched_rank - 1) + "D (unbatched) or " + std::to_string(batched_rank) + "D (batched) input to conv_transpose" +
             suffix(spatial) + ", but got input of size: " + to_string(input_shape));
    }
    Shape batched = input_shape;
    if (rank < batched_rank) {
        batched.insert(batched.begin(), 1);
    }
    if (batched[0] < 0 || *std::min_element(batched.begin() + 2, batched.end()) <= 0) {
        fail("Only zero batch or zero channel inputs are supported, but got input shape: " + to_string(lifted(batched, spatial, std::max(spatial, 2))));
    }
    if (batched[1] != o.in_channels) {
        fail("Given transposed=1, weight of size " + to_string(weight_shape(o, spatial)) + ", expected input" + to_string(batched) + " to have " +
             std::to_string(o.in_channels) + " channels, but got " + std::to_string(batched[1]) + " channels instead");
    }
    batched = lifted(batched, spatial, 3);

    std::array<int64_t, 3> input{batched[2], batched[3], batched[4]}, output{}, padding{};
    for (int d = 0; d < 3; d++) {
        output[d] = add(reached_outputs(input[d], o.kernel_size[d], o.stride[d], o.dilation[d]), -o.padding[d] - end_padding(o)[d]);
        padding[d] = o.output_padding[d];
    }
    if (!output_size.empty()) {
        padding = padding_for_size(o, input_shape, output, output_size, spatial);
    }
    Geometry geometry{batched[0], {o.groups, o.in_channels / o.groups, o.out_channels / o.groups}, {}};
    for (int d = 0; d < 3; d++) {
        output[d] = add(output[d], padding[d]);
    }
    if (*std::min_element(output.begin(), output.end()) <= 0) {
        fail("Given input size per channel: " + volume(input, spatial) + ". Calculated output size per channel: " + volume(output, spatial) +
             ". Output size is too small");
    }
    for (int d = 0; d < 3; d++) {
        geometry.extent[d] = {input[d], output[d], o.kernel_size[d], make_axis(o.stride[d], o.dilation[d], o.padding[d])};
        if (std::max(input[d], output[d]) > largest_extent) {
            fail("sizes of more than 2^29 along one dimension are not supported, but got input " + volume(input, spatial) +
                 " and output " + volume(output, spatial));
        }
    }
    // In bytes, all fits in 63 bits: nothing below can overflow.
    const int64_t inputs = product({o.in_channels, input[0], input[1], input[2]});
    const int64_t outputs = product({o.out_channels, output[0], output[1], output[2]});
    multiply(multiply(batched[0], std::max(inputs, outputs)), size_of(DType::f64));
    if (std::max(inputs, outputs) > largest_item) {
        fail("more than 2^31 - 1 elements in one item of the batch are not supported, but got " + std::to_string(inputs) +
             " in the input and " + std::to_string(outputs) + " in the output");
    }
    return geometry;
}

}  // namespace unstride
