// A forward of a block of the outputs, from the inputs that it depends on.

#include <algorithm>

#include "array/copy.h"
#include "checks/checks.h"
#include "layer/layer.h"
#include "problem/checked.h"
#include "run/blocks.h"

namespace unstride {
namespace {

// Returns the options of a layer whose output is a block: the `outputs` from `begin` on, of inputs from `from` on.
ConvTranspose3dOptions options_of_block(const ConvTranspose3dOptions &options, const Geometry &whole,
                                        const std::array<int64_t, 3> &from, const std::array<int64_t, 3> &inputs,
                                        const std::array<int64_t, 3> &begin, const std::array<int64_t, 3> &outputs) {
    std::array<int64_t, 3> padding{}, padding_end{};
    for (size_t d = 0; d < 3; d++) {
        const Extent &e = whole.extent[d];
        padding[d] = begin[d] + e.axis.padding - from[d] * e.axis.stride;
        padding_end[d] = reached_outputs(inputs[d], e.kernel, e.axis.stride, e.axis.dilation) - padding[d] - outputs[d];
    }
    ConvTranspose3dOptions block = options;
    block.padding = {padding[0], padding[1], padding[2]};
    block.padding_end = Triple(padding_end[0], padding_end[1], padding_end[2]);
    block.output_padding = 0;
    return block;
}

// Returns numbers for three dimensions, of which those that the layer lacks have `lacking`. The last ones of `numbers`
// are for dimensions of space.
std::array<int64_t, 3> in_three(const Shape &numbers, int spatial, int64_t lacking) {
    std::array<int64_t, 3> all = {lacking, lacking, lacking};
    std::copy(numbers.end() - spatial, numbers.end(), all.end() - spatial);
    return all;
}

}  // namespace

Block ConvTranspose::State::halo(const Geometry &whole, const Block &outputs) const {
    check_block(outputs, whole, spatial);
    Block inputs;
    for (size_t d = 0; d < outputs.begin.size(); d++) {
        const Extent &e = whole.extent[d + 3 - outputs.begin.size()];
        const Range range = inputs_of(e, Direction::forward, outputs.begin[d], outputs.end[d]);
        inputs.begin.push_back(range.first);
        inputs.end.push_back(range.first + range.count);
    }
    return inputs;
}

Problem ConvTranspose::State::problem_of_block(const View<const void> &input, const View<void> &output,
                                               const View<const void> *residual, const Shape &from, const Shape &begin,
                                               const Geometry &whole) const {
    const ConvTranspose3dOptions block =
        options_of_block(options, whole, in_three(from, spatial, 0), in_three(input.sizes, spatial, 1),
                         in_three(begin, spatial, 0), in_three(output.sizes, spatial, 1));
    const Geometry geometry = resolve(block, input.sizes, {}, spatial);
    const Layout layout = check_views(input, output, residual, shape_of_output(geometry, input.sizes.size(), spatial),
                                      forced_layout(Operator::forward).value_or(Layout::ncdhw), spatial, Strides::any);
    check_item_of(device, geometry);
    Problem problem = problem_of(Operator::forward, geometry, layout, {input.dtype, output.dtype});
    problem.whole = whole;
    problem.whole->batch = geometry.batch;  // which decides nothing
    return problem;
}

void ConvTranspose::State::forward_block(const View<const void> &input, const View<void> &output,
                                         const View<const void> *residual, const Block &outputs,
                                         const Geometry &whole) const {
    const Block inputs = halo(whole, outputs);
    check_size_of_block("input", input.sizes, inputs);
    check_size_of_block("output", output.sizes, outputs);
    const Problem problem = problem_of_block(input, output, residual, inputs.begin, outputs.begin, whole);
    if (problem.geometry.batch == 0) {
        return;
    }
    // Minimal filters compute the outputs of a phase in pairs, and the two of a pair round differently. So a block that
    // does not begin with whole pairs begins earlier, and what is too much is dropped. The inputs that it lacks for
    // these outputs matter to no other ones.
    const int64_t in_turn = plan_for(problem).program->parts.front().entry->sums->outputs_of_row;
    Shape begin = outputs.begin, sizes = output.sizes;
    int64_t dropped = 0;
    for (size_t d = 0; d + 1 < begin.size(); d++) {
        const Axis<int64_t> &axis = whole.extent[d + 3 - begin.size()].axis;
        const int64_t before = in_turn > 1 ? begin[d] % (in_turn * axis.stride * axis.dilation) : 0;
        begin[d] -= before;
        sizes[d + sizes.size() - begin.size()] += before;
        dropped += before;
    }
    if (dropped == 0) {
        run_checked(problem, input, output, residual);
        return;
    }
    Tensor with_dropped(sizes, problem.layout, spatial, output.dtype);
    const View<void> all = with_dropped.view<void>();
    View<void> kept{all.data, all.dtype, output.sizes, all.strides};
    for (size_t d = 0; d < begin.size(); d++) {
        const int64_t first = (outputs.begin[d] - begin[d]) * all.strides[d + sizes.size() - begin.size()];
        kept.data = static_cast<char *>(kept.data) + first * size_of(all.dtype);
    }
    // Outputs that are dropped add whatever is in their place.
    const View<const void> added = all;
    if (residual != nullptr) {
        copy_elements(*residual, kept);
    }
    const View<const void> *add = residual != nullptr ? &added : nullptr;
    run_checked(problem_of_block(input, all, add, inputs.begin, begin, whole), input, all, add);
    copy_elements(kept, output);
}

Block ConvTranspose::halo(const Shape &input_shape, const Block &outputs, const Shape &output_size) const {
    return state_->halo(resolve(options(), input_shape, output_size, spatial()), outputs);
}

void ConvTranspose::forward_block(const View<const void> &input, const View<void> &output, const Block &outputs,
                                  const Shape &input_shape, const Shape &output_size) const {
    state_->forward_block(input, output, nullptr, outputs, resolve(options(), input_shape, output_size, spatial()));
}

void ConvTranspose::forward_block(const View<const void> &input, const View<void> &output,
                                  const View<const void> &residual, const Block &outputs, const Shape &input_shape,
                                  const Shape &output_size) const {
    state_->forward_block(input, output, &residual, outputs, resolve(options(), input_shape, output_size, spatial()));
}

}  // namespace unstride
