#include "validation.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "checked.h"
#include "dense.h"
#include "validation_parts.h"

namespace unstride {
namespace {

bool has_elements(const Shape &sizes) {
    return std::find(sizes.begin(), sizes.end(), 0) == sizes.end();
}

void check_view(const char *name, const View<const void> &view, int spatial) {
    if (view.strides.size() != view.sizes.size()) {
        fail(std::string(name) + " has " + std::to_string(view.sizes.size()) + " sizes, but " +
             std::to_string(view.strides.size()) + " strides");
    }
    if (!has_elements(view.sizes)) {
        return;
    }
    check_data(name, view.data);
    const int64_t alignment = size_of(view.dtype);
    if (reinterpret_cast<uintptr_t>(view.data) % static_cast<uintptr_t>(alignment) != 0) {
        fail(std::string(name) + " is not aligned to " + std::to_string(alignment) + " bytes");
    }
    for (size_t d = 0; d < view.sizes.size(); d++) {
        if (view.sizes[d] > 1 && (view.strides[d] < 0 || (view.strides[d] > std::numeric_limits<int32_t>::max() && d >= channel_dimension(view.sizes.size(), spatial)))) {
            fail(std::string(name) + " has strides that the kernels cannot take: " + to_string(view.strides));
        }
    }
}

Layout other_than(Layout layout) {
    return layout == Layout::ncdhw ? Layout::ndhwc : Layout::ncdhw;
}

// The dimension whose elements lie side by side: columns or channels.
size_t dense_dimension(Layout layout, size_t rank, int spatial) {
    return layout == Layout::ncdhw ? rank - 1 : channel_dimension(rank, spatial);
}

bool can_be(Layout layout, const View<const void> &view, int spatial) {
    const size_t dense = dense_dimension(layout, view.sizes.size(), spatial);
    return view.sizes[dense] <= 1 || view.strides[dense] == 1;
}

// Bytes from the first element to the end of the last one.
int64_t span(const View<const void> &view) {
    int64_t last = 0;
    for (size_t d = 0; d < view.sizes.size(); d++) {
        last = add(last, multiply(view.sizes[d] - 1, view.strides[d]));
    }
    return multiply(add(last, 1), size_of(view.dtype));
}

// Whether memory that is cut into pieces of so many bytes has elements of `a` at the beginning of each, from its first element on, and those
// of `b` behind them: as two slices of the channels of one array have.
bool are_apart_in_pieces(const View<const void> &a, const View<const void> &b, int64_t piece) {
    const auto bytes_in_piece = [&](const View<const void> &view) {
        int64_t bytes = size_of(view.dtype);
        for (size_t d = 0; d < view.sizes.size(); d++) {
            const int64_t stride = view.sizes[d] > 1 ? multiply(view.strides[d], size_of(view.dtype)) : 0;
            bytes = stride % piece == 0 ? bytes : add(bytes, multiply(view.sizes[d] - 1, stride));
        }
        return bytes;
    };
    const int64_t distance = static_cast<const char *>(b.data) - static_cast<const char *>(a.data), begin = (distance % piece + piece) % piece;
    return bytes_in_piece(a) <= begin && add(begin, bytes_in_piece(b)) <= piece;
}

// Whether they may share memory, as far as their first and last elements, and pieces as long as one of their strides, tell.
bool overlap(const View<const void> &a, const View<const void> &b) {
    const auto *const first_of_a = static_cast<const char *>(a.data), *const first_of_b = static_cast<const char *>(b.data);
    bool together = first_of_a < first_of_b + span(b) && first_of_b < first_of_a + span(a);
    for (size_t d = 0; d < a.sizes.size(); d++) {
        together = together && !(a.sizes[d] > 1 && a.strides[d] > 0 && are_apart_in_pieces(a, b, multiply(a.strides[d], size_of(a.dtype))));
    }
    return together;
}

bool is_same(const View<const void> &a, const View<const void> &b) {
    for (size_t d = 0; d < a.sizes.size(); d++) {
        if (a.sizes[d] != b.sizes[d] || (a.sizes[d] > 1 && a.strides[d] != b.strides[d])) {
            return false;
        }
    }
    return a.data == b.data;
}

// Whether no two elements of a view share memory, by the usual sufficient test: each stride is beyond the reach of
// all smaller ones.
bool elements_are_distinct(const Shape &sizes, const Shape &strides) {
    std::vector<std::pair<int64_t, int64_t>> dimensions;
    for (size_t d = 0; d < sizes.size(); d++) {
        if (sizes[d] > 1) {
            dimensions.emplace_back(strides[d], sizes[d]);
        }
    }
    std::sort(dimensions.begin(), dimensions.end());
    int64_t reach = 0;
    for (const auto &[stride, size] : dimensions) {
        if (stride <= reach) {
            return false;
        }
        reach = add(reach, multiply(stride, size - 1));
    }
    return true;
}

}  // namespace

void check_sizes(const Shape &sizes, int spatial) {
    check_spatial(spatial);
    const auto least = static_cast<size_t>(spatial) + 1;
    if (sizes.size() != least && sizes.size() != least + 1) {
        fail("expected " + std::to_string(least) + " or " + std::to_string(least + 1) + " sizes, but got " + std::to_string(sizes.size()));
    }
    if (*std::min_element(sizes.begin(), sizes.end()) < 0) {
        fail("negative sizes are not supported");
    }
}

Layout check_input(const View<const void> &input, Layout preferred, int spatial) {
    check_view("input", input, spatial);
    if (!has_elements(input.sizes)) {
        return preferred;
    }
    // Where both are possible, the one whose dense dimension has more than one element.
    const Layout other = other_than(preferred);
    const bool one_element = input.sizes[dense_dimension(preferred, input.sizes.size(), spatial)] == 1;
    return !can_be(preferred, input, spatial) || (one_element && can_be(other, input, spatial)) ? other : preferred;
}

void check_output_shape(const Shape &shape, const Shape &expected) {
    if (shape != expected) {
        fail("expected output of size " + to_string(expected) + ", but got " + to_string(shape));
    }
}

void check_residual_type(DType dtype, DType output) {
    if (dtype != output) {
        fail(std::string("expected a residual of the output's type ") + to_string(output) + ", but got " + to_string(dtype));
    }
}

void check_residual_shape(const Shape &shape, const Shape &output) {
    if (shape != output) {
        fail("expected a residual of the output's size " + to_string(output) + ", but got " + to_string(shape));
    }
}

Layout check_views(const View<const void> &input, const View<void> &output, const View<const void> *residual, const Shape &expected_output, Layout preferred, int spatial) {
    check_view("input", input, spatial);
    check_view("output", output, spatial);
    check_types({input.dtype, output.dtype});
    check_output_shape(output.sizes, expected_output);
    if (residual != nullptr) {
        check_view("residual", *residual, spatial);
        check_residual_type(residual->dtype, output.dtype);
        check_residual_shape(residual->sizes, output.sizes);
    }
    if (!has_elements(output.sizes)) {
        return preferred;
    }
    if (!elements_are_distinct(output.sizes, output.strides)) {
        fail("elements of the output share memory: size " + to_string(output.sizes) + ", strides " + to_string(output.strides));
    }
    if (overlap(input, output)) {
        fail("input and output overlap");
    }
    if (residual != nullptr && overlap(*residual, output) && !is_same(*residual, output)) {
        fail("residual and output overlap, and are not the same");
    }
    for (Layout layout : {preferred, other_than(preferred)}) {
        if (can_be(layout, input, spatial) && can_be(layout, output, spatial) && (residual == nullptr || can_be(layout, *residual, spatial))) {
            return layout;
        }
    }
    fail(std::string(residual == nullptr ? "input and output must both" : "input, output and residual must all") + " have dense columns (ncdhw) or " + (residual == nullptr ? "both" : "all") +
         " have dense channels (ndhwc), but got strides " + to_string(input.strides) + " and " + to_string(output.strides) + (residual == nullptr ? "" : " and " + to_string(residual->strides)));
}

}  // namespace unstride
