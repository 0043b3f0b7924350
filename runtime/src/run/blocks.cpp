#include "run/blocks.h"

#include <algorithm>
#include <limits>

#include "problem/checked.h"

namespace unstride {
namespace {

constexpr int64_t in_32_bits = std::numeric_limits<int32_t>::max();

// Returns the padding with which a block that begins at output `begin`, from inputs that begin at `from`, is a layer of
// its own.
int64_t padding_of(const Extent &e, Direction direction, int64_t from, int64_t begin) {
    return direction == Direction::forward ? begin + e.axis.padding - from * e.axis.stride
                                           : from + e.axis.padding - begin * e.axis.stride;
}

// Returns the most inputs that as many outputs of a dimension depend on.
int64_t most_inputs(const Extent &e, Direction direction, int64_t outputs) {
    const int64_t stride = e.axis.stride, reach = multiply(e.axis.dilation, e.kernel - 1);
    const int64_t inputs = direction == Direction::forward ? (outputs + reach) / stride + 1
                                                           : add(multiply(outputs - 1, stride), reach + 1);
    return std::min(inputs, e.input);
}

Array part_of(const Array &array, const Range &items, const std::array<Range, 3> &space) {
    Array::Window window = array.whole();
    window[Array::item] = items;
    window[Array::slice] = space[0];
    window[Array::row] = space[1];
    window[Array::column] = space[2];
    return array.window(window);
}

Arrays parts_of(const Arrays &whole, const Range &items, const std::array<Range, 3> &inputs,
                const std::array<Range, 3> &outputs) {
    return {part_of(whole.input, items, inputs), part_of(whole.output, items, outputs),
            whole.residual ? std::optional(part_of(*whole.residual, items, outputs)) : std::nullopt};
}

}  // namespace

Range inputs_of(const Extent &e, Direction direction, int64_t begin, int64_t end) {
    const int64_t stride = e.axis.stride, padding = e.axis.padding, reach = multiply(e.axis.dilation, e.kernel - 1);
    int64_t first = begin * stride - padding, last = (end - 1) * stride - padding + reach;
    if (direction == Direction::forward) {
        first = divide_up(std::max<int64_t>(begin + padding - reach, 0), stride);
        last = divide_down(end - 1 + padding, stride);
    }
    const int64_t from = std::clamp<int64_t>(first, 0, e.input - 1);
    return {from, 1, std::max(std::min(last, e.input - 1), from) + 1 - from};
}

Arrays BlockOfProblem::of(const Arrays &whole) const {
    return parts_of(whole, items, inputs, outputs);
}

Blocks::Blocks(const Problem &problem, const Arrays &arrays, int64_t in_turn)
    : problem_(problem),
      direction_(problem.op_of_kernels() == Operator::forward ? Direction::forward : Direction::reversed),
      in_turn_(in_turn), whole_{problem.geometry.batch, problem.geometry.extent[0].output,
                                problem.geometry.extent[1].output, problem.geometry.extent[2].output},
      size_(whole_) {
    BlockLimits limits = block_limits();
    limits.bytes = multiply(limits.bytes, divide_up(problem.threads, 8));  // so that many threads have work in a block
    while (!fit(arrays, limits) && cut()) {
    }
    if (!fit(arrays, {in_32_bits, std::numeric_limits<int64_t>::max()})) {
        throw InvalidArgument("a single output, or those that are computed together, depends on more than 2^31 - 1 "
                              "inputs, or has more channels");
    }
}

bool Blocks::fit(const Arrays &arrays, const BlockLimits &limits) const {
    std::array<Range, 3> inputs, outputs;
    for (size_t d = 0; d < 3; d++) {
        outputs[d].count = size_[d + 1];
        inputs[d].count = most_inputs(problem_.geometry.extent[d], direction_, size_[d + 1]);
    }
    const Arrays parts = parts_of(arrays, {0, 1, size_[0]}, inputs, outputs);
    int64_t bytes = 0;
    bool few = true;
    const auto look_at = [&](const Array &part) {
        const int64_t elements =
            product({part.extent(Array::group), part.extent(Array::channel), part.extent(Array::slice),
                     part.extent(Array::row), part.extent(Array::column)});
        few = few && elements <= limits.elements;
        if (!part.fits_kernels(problem_.layout, limits.elements)) {
            bytes = add(bytes, multiply(multiply(elements, size_[0]), size_of(part.dtype())));
        }
    };
    look_at(parts.input);
    look_at(parts.output);
    if (parts.residual) {
        look_at(*parts.residual);
    }
    return few && bytes <= limits.bytes;
}

// Blocks that begin at multiples of a stride are alike, but for those at the ends.
int64_t Blocks::halved(size_t dimension) const {
    const int64_t half = divide_up(size_[dimension], 2);
    if (dimension == 0) {
        return half;
    }
    const Axis<int64_t> &axis = problem_.geometry.extent[dimension - 1].axis;
    const bool in_turn = in_turn_ > 1 && dimension < 3;
    const int64_t unit = in_turn ? in_turn_ * axis.stride * axis.dilation : axis.stride;
    const int64_t size = in_turn || half >= unit ? divide_up(half, unit) * unit : half;
    return std::min(size, size_[dimension]);
}

bool Blocks::cut() {
    // Items and columns are the first and the last to be cut. Of depth and height it is the larger one, so that blocks
    // share few inputs.
    const size_t larger = size_[1] >= size_[2] ? 1 : 2;
    const std::array<size_t, 4> order{0, larger, 3 - larger, 3};
    const auto *d = std::find_if(order.begin(), order.end(), [&](size_t each) { return halved(each) < size_[each]; });
    if (d == order.end()) {
        return false;
    }
    size_[*d] = halved(*d);
    return true;
}

int64_t Blocks::count() const {
    int64_t count = 1;
    for (size_t d = 0; d < size_.size(); d++) {
        count *= divide_up(whole_[d], size_[d]);
    }
    return count;
}

BlockOfProblem Blocks::block(int64_t number) const {
    std::array<Range, 4> ranges;
    for (size_t d = 4; d-- > 0;) {
        const int64_t blocks = divide_up(whole_[d], size_[d]), first = number % blocks * size_[d];
        ranges[d] = {first, 1, std::min(size_[d], whole_[d] - first)};
        number /= blocks;
    }
    BlockOfProblem block{problem_, ranges[0], {}, {ranges[1], ranges[2], ranges[3]}};
    block.problem.geometry.batch = ranges[0].count;
    for (size_t d = 0; d < 3; d++) {
        const Extent &e = problem_.geometry.extent[d];
        const Range &outputs = block.outputs[d];
        block.inputs[d] = inputs_of(e, direction_, outputs.first, outputs.first + outputs.count);
        Extent &of_block = block.problem.geometry.extent[d];
        of_block.input = block.inputs[d].count;
        of_block.output = outputs.count;
        of_block.axis.padding = padding_of(e, direction_, block.inputs[d].first, outputs.first);
    }
    if (count() > 1) {
        if (!block.problem.whole) {
            block.problem.whole = problem_.geometry;
        }
    } else {
        block.problem = problem_;
        for (size_t d = 0; d < 3; d++) {
            block.inputs[d] = {0, 1, problem_.geometry.extent[d].input};
        }
    }
    return block;
}

}  // namespace unstride
