#include "checks/checks.h"
#include "checks/texts.h"

namespace unstride {

void check_block(const Block &outputs, const Geometry &whole, int spatial) {
    const auto dimensions = static_cast<size_t>(spatial);
    if (outputs.begin.size() != dimensions || outputs.end.size() != dimensions) {
        fail("a block begins and ends with " + std::to_string(spatial) +
             (spatial == 1 ? " number" : " numbers, one for each dimension of space") + ", but got " +
             to_string(outputs.begin) + " and " + to_string(outputs.end));
    }
    bool is_inside = true;
    Shape sizes;
    for (size_t d = 0; d < dimensions; d++) {
        sizes.push_back(whole.extent[d + 3 - dimensions].output);
        is_inside =
            is_inside && 0 <= outputs.begin[d] && outputs.begin[d] < outputs.end[d] && outputs.end[d] <= sizes[d];
    }
    if (!is_inside) {
        fail("a block from " + to_string(outputs.begin) + " to before " + to_string(outputs.end) +
             " is empty, or is not in an output of spatial size " + to_string(sizes));
    }
}

void check_size_of_block(const char *name, const Shape &sizes, const Block &block) {
    const size_t dimensions = block.begin.size();
    Shape expected;
    for (size_t d = 0; d < dimensions; d++) {
        expected.push_back(block.end[d] - block.begin[d]);
    }
    if (sizes.size() < dimensions || !std::equal(expected.begin(), expected.end(), sizes.end() - dimensions)) {
        fail(std::string("expected ") + name + " of spatial size " + to_string(expected) + ", for its part from " +
             to_string(block.begin) + " to before " + to_string(block.end) + ", but got size " + to_string(sizes));
    }
}

}  // namespace unstride
