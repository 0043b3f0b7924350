#include "checks/checks.h"

#include <algorithm>

#include "checks/texts.h"
#include "problem/checked.h"
#include "problem/views.h"

namespace unstride {
namespace {

using Three = std::array<int64_t, 3>;

struct Input {
    Shape sizes;         // (N, C, D, H, W), with 1 in the dimensions that the layer lacks
    Three least_output;  // spatial sizes of the output without output padding

    Three space() const {
        return {sizes[2], sizes[3], sizes[4]};
    }
};

// Returns the sizes of a batch that has `spatial` dimensions of space as those of one that has `to` of them: the
// missing ones have size 1.
Shape lifted(Shape batch, int spatial, int to) {
    batch.insert(batch.begin() + 2, static_cast<size_t>(to - spatial), 1);
    return batch;
}

Shape space_of(const Three &sizes, int spatial) {
    return {sizes.end() - spatial, sizes.end()};
}

Input check_input_shape(const ConvTranspose3dOptions &o, const Shape &shape, int spatial) {
    const size_t rank = shape.size(), batched_rank = static_cast<size_t>(spatial) + 2;
    if (rank != batched_rank - 1 && rank != batched_rank) {
        fail("Expected " + std::to_string(batched_rank - 1) + "D (unbatched) or " + std::to_string(batched_rank) +
             "D (batched) input to conv_transpose" + suffix(spatial) + ", but got input of size: " + to_string(shape));
    }
    Shape batched = shape;
    if (rank < batched_rank) {
        batched.insert(batched.begin(), 1);
    }
    if (batched[1] != o.in_channels) {
        fail("Given transposed=1, weight of size " + to_string(weight_shape(o, spatial)) + ", expected input" +
             to_string(batched) + " to have " + std::to_string(o.in_channels) + " channels, but got " +
             std::to_string(batched[1]) + " channels instead");
    }
    // The spatial sizes of an empty batch may be 0, too.
    const int64_t least = batched[0] == 0 ? 0 : 1;
    if (batched[0] < 0 || *std::min_element(batched.begin() + 2, batched.end()) < least) {
        fail("Only zero batch or zero channel inputs are supported, but got input shape: " +
             to_string(lifted(batched, spatial, std::max(spatial, 2))));
    }
    Input input{lifted(batched, spatial, 3), {}};
    for (int d = 0; d < 3; d++) {
        const int64_t reached = reached_outputs(input.space()[d], o.kernel_size[d], o.stride[d], o.dilation[d]);
        input.least_output[d] = add(reached, -o.padding[d] - end_padding(o)[d]);
    }
    return input;
}

// Tells whether some output padding below the stride leads to an output of a size.
struct Fit {
    bool fits = true;
    Three padding{};    // the output padding, if there is one
    Shape least, most;  // the smallest and the largest spatial sizes that are possible
};

Fit fit(const ConvTranspose3dOptions &o, const Input &input, const Shape &size, int spatial) {
    Fit result;
    result.least = space_of(input.least_output, spatial);
    for (int d = 3 - spatial; d < 3; d++) {
        const int64_t requested = size[result.most.size()], least = input.least_output[d],
                      most = add(least, o.stride[d] - 1);
        result.most.push_back(most);
        result.fits = result.fits && requested >= least && requested <= most;
        result.padding[d] = result.fits ? requested - least : 0;
    }
    return result;
}

// Returns the output padding that an output size asks for, by PyTorch's rule for the argument output_size of forward.
Three padding_for_size(const ConvTranspose3dOptions &o, const Input &input, const Shape &input_shape, Shape size,
                       int spatial) {
    const size_t rank = input_shape.size(), dimensions = static_cast<size_t>(spatial);
    if (size.size() == rank) {
        size.erase(size.begin(), size.end() - spatial);
    }
    if (size.size() != dimensions) {
        fail("ConvTranspose" + suffix(spatial, 'D') + ": for " + std::to_string(rank) +
             "D input, output_size must have " + std::to_string(spatial) + " or " + std::to_string(rank) +
             " elements (got " + std::to_string(size.size()) + ")");
    }
    const Fit found = fit(o, input, size, spatial);
    if (!found.fits) {
        fail("requested an output size of " + to_string(size) + ", but valid sizes range from " +
             to_string(found.least) + " to " + to_string(found.most) + " (for an input of torch.Size(" +
             to_string(Shape(input_shape.begin() + 2, input_shape.end())) + "))");
    }
    return found.padding;
}

Three output_padding(const ConvTranspose3dOptions &o) {
    return {o.output_padding[0], o.output_padding[1], o.output_padding[2]};
}

Three wanted_padding(const ConvTranspose3dOptions &o, const Input &input, const Shape &input_shape,
                     const Shape &output_size, int spatial) {
    return output_size.empty() ? output_padding(o) : padding_for_size(o, input, input_shape, output_size, spatial);
}

Three output_with(const Input &input, const Three &padding) {
    Three output{};
    for (int d = 0; d < 3; d++) {
        output[d] = add(input.least_output[d], padding[d]);
    }
    return output;
}

// Checks the sizes of the arrays of an input and an output with these channels.
void check_limits(const Geometry &g, const Three &input, const Three &output, int spatial) {
    for (int d = 0; d < 3; d++) {
        if (std::max(input[d], output[d]) > largest_extent) {
            fail("sizes of more than 2^29 along one dimension are not supported, but got input " +
                 volume(input, spatial) + " and output " + volume(output, spatial));
        }
    }
    // The arrays' sizes in bytes fit in 63 bits, so that nothing that is computed from a Geometry overflows.
    const auto &[groups, in, out] = g.channels;
    const int64_t inputs = product({groups * in, input[0], input[1], input[2]});
    const int64_t outputs = product({groups * out, output[0], output[1], output[2]});
    multiply(multiply(g.batch, std::max(inputs, outputs)), size_of(DType::f64));
}

Geometry make_geometry(const ConvTranspose3dOptions &o, const Input &input, const Three &padding, int spatial) {
    const int64_t batch = input.sizes[0];
    const Three space = input.space(), output = output_with(input, padding);
    if (*std::min_element(output.begin(), output.end()) < (batch == 0 ? 0 : 1)) {
        fail("Given input size per channel: " + volume(space, spatial) +
             ". Calculated output size per channel: " + volume(output, spatial) + ". Output size is too small");
    }
    Geometry geometry{batch, {o.groups, o.in_channels / o.groups, o.out_channels / o.groups}, {}};
    for (int d = 0; d < 3; d++) {
        geometry.extent[d] = {space[d], output[d], o.kernel_size[d],
                              make_axis(o.stride[d], o.dilation[d], o.padding[d])};
    }
    check_limits(geometry, space, output, spatial);
    return geometry;
}

}  // namespace

Geometry resolve(const ConvTranspose3dOptions &o, const Shape &input_shape, const Shape &output_size, int spatial) {
    const Input input = check_input_shape(o, input_shape, spatial);
    return make_geometry(o, input, wanted_padding(o, input, input_shape, output_size, spatial), spatial);
}

Geometry resolve_output(const ConvTranspose3dOptions &o, const Shape &input_shape, const Shape &output_shape,
                        int spatial, const char *output_name) {
    const Input input = check_input_shape(o, input_shape, spatial);
    const Three usual = output_padding(o);
    if (output_shape.size() != input_shape.size()) {
        return make_geometry(o, input, usual, spatial);
    }
    const Shape space(output_shape.end() - spatial, output_shape.end()),
        padded = space_of(output_with(input, usual), spatial);
    if (space == padded) {
        return make_geometry(o, input, usual, spatial);
    }
    const Fit found = fit(o, input, space, spatial);
    if (!found.fits) {
        const auto with_space = [&](const Shape &sizes) {
            Shape all(input_shape.begin(), input_shape.end() - spatial);
            all.back() = o.out_channels;
            all.insert(all.end(), sizes.begin(), sizes.end());
            return to_string(all);
        };
        std::string possible = with_space(found.least);
        if (found.least != found.most) {
            possible += " to " + with_space(found.most);
        }
        // The layer's own output padding may be the stride or more, if it is below the dilation.
        if (!fit(o, input, padded, spatial).fits) {
            possible += " or " + with_space(padded);
        }
        fail(std::string("expected ") + output_name + " of size " + possible + ", but got " + to_string(output_shape));
    }
    return make_geometry(o, input, found.padding, spatial);
}

Geometry resolve_grad_output(const ConvTranspose3dOptions &o, const Shape &output_shape, int spatial) {
    const size_t rank = output_shape.size(), batched_rank = static_cast<size_t>(spatial) + 2;
    if (rank != batched_rank - 1 && rank != batched_rank) {
        fail("expected " + std::to_string(batched_rank - 1) + "D (unbatched) or " + std::to_string(batched_rank) +
             "D (batched) grad_output, but got size " + to_string(output_shape));
    }
    Shape batched = output_shape;
    if (rank < batched_rank) {
        batched.insert(batched.begin(), 1);
    }
    if (batched[1] != o.out_channels) {
        fail("expected grad_output to have " + std::to_string(o.out_channels) + " channels, but got size " +
             to_string(output_shape));
    }
    const int64_t least = batched[0] == 0 ? 0 : 1;
    if (batched[0] < 0 || *std::min_element(batched.begin() + 2, batched.end()) < least) {
        fail("only the batch of grad_output may be empty, but got size " + to_string(output_shape));
    }
    const Shape sizes = lifted(batched, spatial, 3);
    const Three space{sizes[2], sizes[3], sizes[4]};
    Geometry geometry{sizes[0], {o.groups, 1, o.out_channels / o.groups}, {}};
    for (size_t d = 0; d < space.size(); d++) {
        geometry.extent[d] = {space[d], space[d], 1, make_axis(1, 1, 0)};
    }
    check_limits(geometry, space, space, spatial);
    return geometry;
}

void check_item_of(Device device, const Geometry &g) {
    if (device == Device::cpu) {
        return;
    }
    constexpr int64_t largest_item = (int64_t{1} << 31) - 1;
    const auto &[z, y, x] = g.extent;
    const int64_t inputs = product({g.channels.groups * g.channels.inputs, z.input, y.input, x.input}),
                  outputs = product({g.channels.groups * g.channels.outputs, z.output, y.output, x.output});
    if (std::max(inputs, outputs) > largest_item) {
        fail("more than 2^31 - 1 elements in one item of the batch are not supported on a GPU, but got " +
             std::to_string(inputs) + " in the input and " + std::to_string(outputs) + " in the output");
    }
}

Shape shape_of_output(const Geometry &geometry, size_t rank, int spatial) {
    Shape shape;
    if (channel_dimension(rank, spatial) == 1) {
        shape.push_back(geometry.batch);
    }
    shape.push_back(geometry.channels.groups * geometry.channels.outputs);
    for (int d = 3 - spatial; d < 3; d++) {
        shape.push_back(geometry.extent[d].output);
    }
    return shape;
}

}  // namespace unstride
