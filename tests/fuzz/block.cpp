// Blocks of the outputs, which have the bits of the whole.

#include <cstring>

#include "calls.h"

namespace unstride::tests {
namespace {

// Returns the part of a view that a block is.
View<const void> part_of(View<const void> view, const Block &block) {
    for (size_t d = 0; d < block.begin.size(); d++) {
        const size_t dimension = d + view.sizes.size() - block.begin.size();
        view.data =
            static_cast<const char *>(view.data) + block.begin[d] * view.strides[dimension] * size_of(view.dtype);
        view.sizes[dimension] = block.end[d] - block.begin[d];
    }
    return view;
}

bool are_same(const std::vector<double> &a, const std::vector<double> &b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0;
}

}  // namespace

void Session::compute_block() {
    if (in_place_) {
        return;
    }
    const Shape input = drawn_.as_passed(drawn_.input), output = drawn_.as_passed(drawn_.output);
    Block block;
    for (size_t d = output.size() - static_cast<size_t>(drawn_.spatial); d < output.size(); d++) {
        const int64_t begin = choices_.between(0, output[d] - 1);
        block.begin.push_back(begin);
        block.end.push_back(choices_.between(begin + 1, output[d]));
    }
    const Shape asked = asked_size();
    const View<const void> wanted = part_of(call_.to, block);
    const std::unique_ptr<Walled> part = array(wanted.sizes, call_.types.output, false);
    const View<const void> needed = part_of(call_.from[0], layer_.halo(input, block, asked));
    if (with_residual_) {
        layer_.forward_block(needed, part->view(drawn_.spatial), part_of(call_.from[1], block), block, input, asked);
    } else {
        layer_.forward_block(needed, part->view(drawn_.spatial), block, input, asked);
    }
    if (!are_same(numbers_of(part->view()), numbers_of(wanted))) {
        throw Finding("a block has other bits than the whole");
    }
    if (!part->surroundings_intact()) {
        throw Finding("memory beside a block was written to");
    }
}

}  // namespace unstride::tests
