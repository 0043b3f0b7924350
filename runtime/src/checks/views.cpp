#include "checks/views.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>
#include <vector>

#include "checks/texts.h"
#include "problem/checked.h"
#include "problem/views.h"

namespace unstride {
namespace {

enum class Batch { absent, present };

// Returns the names of an array's dimensions, such as "(N, C, H, W)", or "(C, H, W)" without a batch.
std::string dimensions(int spatial, Batch batch) {
    constexpr std::array<const char *, 3> space = {"L", "H, W", "D, H, W"};
    return std::string(batch == Batch::present ? "(N, C, " : "(C, ") + space[static_cast<size_t>(spatial - 1)] + ")";
}

// Returns whether the strides are those of dimensions in their order, the last one innermost. Dimensions of size 1
// count, too, as their strides also tell the order in which the array was made.
bool is_in_order(const View<const void> &view) {
    for (size_t d = 0; d + 1 < view.sizes.size(); d++) {
        if (view.strides[d] < multiply(view.strides[d + 1], view.sizes[d + 1])) {
            return false;
        }
    }
    return true;
}

// Refuses an array in ndhwc that was made for another number of dimensions of space, as its channels are in another
// dimension than the layer takes for them. In ncdhw the number makes no difference. A slice of an array that has one
// dimension less than the array passes: its channels are where the layer looks for them.
void check_spatial_of(const NamedView &array, int spatial) {
    const auto &[name, view] = array;
    const int64_t channel = static_cast<int64_t>(view.sizes.size()) - view.spatial - 1;
    const bool known = view.spatial != 0 && view.spatial != spatial && (channel == 0 || channel == 1);
    if (!known || view.strides[static_cast<size_t>(channel)] != 1 || is_in_order(view)) {
        return;
    }
    fail(std::string(name) + " of size " + to_string(view.sizes) + " was made for " + std::to_string(view.spatial) +
         " dimensions of space, as " + dimensions(view.spatial, channel == 1 ? Batch::present : Batch::absent) +
         " with strides " + to_string(view.strides) + ", but the layer has " + std::to_string(spatial) + " and takes " +
         dimensions(spatial, Batch::present) + " or " + dimensions(spatial, Batch::absent) +
         ": Tensor and dense_view take that number after the layout");
}

int64_t largest_stride_of(size_t dimension, size_t channel) {
    return dimension < channel ? std::numeric_limits<int64_t>::max() : std::numeric_limits<int32_t>::max();
}

// Checks what is the same for all arrays: that there is a stride for each size, and memory that is aligned.
void check_memory(const NamedView &array) {
    const View<const void> &view = array.view;
    if (view.strides.size() != view.sizes.size()) {
        fail(std::string(array.name) + " has " + std::to_string(view.sizes.size()) + " sizes, but " +
             std::to_string(view.strides.size()) + " strides");
    }
    if (!has_elements(view.sizes)) {
        return;
    }
    check_data(array.name, view.data);
    const int64_t alignment = size_of(view.dtype);
    if (reinterpret_cast<uintptr_t>(view.data) % static_cast<uintptr_t>(alignment) != 0) {
        fail(std::string(array.name) + " is not aligned to " + std::to_string(alignment) + " bytes");
    }
}

Layout other_than(Layout layout) {
    return layout == Layout::ncdhw ? Layout::ndhwc : Layout::ncdhw;
}

// Returns the dimension whose elements lie side by side in a layout: that of the columns or of the channels.
size_t dense_dimension(Layout layout, size_t rank, int spatial) {
    return layout == Layout::ncdhw ? rank - 1 : channel_dimension(rank, spatial);
}

bool can_be(Layout layout, const View<const void> &view, int spatial) {
    const size_t dense = dense_dimension(layout, view.sizes.size(), spatial);
    return view.sizes[dense] <= 1 || view.strides[dense] == 1;
}

std::string layouts_of(const NamedView &array, int spatial) {
    const auto &[name, view] = array;
    const bool columns = can_be(Layout::ncdhw, view, spatial), channels = can_be(Layout::ndhwc, view, spatial);
    std::string dense = "neither";
    if (columns || channels) {
        dense = columns ? "dense columns" : "dense channels";
    }
    return std::string("; ") + name + " has " + (columns && channels ? "both" : dense) + ", with strides " +
           to_string(view.strides);
}

// Returns the same elements in an order in which no stride is negative. Throws InvalidArgument where they reach further
// than 64 bits tell.
View<const void> in_memory_order(View<const void> view) {
    int64_t before = 0;
    for (size_t d = 0; d < view.sizes.size(); d++) {
        const int64_t last = multiply(view.sizes[d] - 1, view.strides[d]);
        if (view.sizes[d] > 1 && view.strides[d] < 0) {
            before = add(before, last);
            view.strides[d] = multiply(view.strides[d], -1);
        }
    }
    view.data = static_cast<const char *>(view.data) + multiply(before, size_of(view.dtype));
    return view;
}

// Returns the number of bytes from the first element to the end of the last one. No stride is negative.
int64_t span(const View<const void> &view) {
    int64_t last = 0;
    for (size_t d = 0; d < view.sizes.size(); d++) {
        last = add(last, multiply(view.sizes[d] - 1, view.strides[d]));
    }
    return multiply(add(last, 1), size_of(view.dtype));
}

// Checks the strides of the dimensions of more than one element. Those of a layout are 0 or more, and in 32 bits from
// dimension `channel` on. Of any others, 64 bits have to tell how many bytes they lead to.
void check_strides(const NamedView &array, size_t channel, Strides strides) {
    const View<const void> &view = array.view;
    if (strides == Strides::any) {
        span(in_memory_order(view));
        return;
    }
    for (size_t d = 0; d < view.sizes.size(); d++) {
        const int64_t stride = view.strides[d], most = largest_stride_of(d, channel);
        if (view.sizes[d] > 1 && (stride < 0 || stride > most)) {
            fail(std::string(array.name) + " has stride " + std::to_string(stride) + " in dimension " +
                 std::to_string(d) + ", which must be " +
                 (stride < 0 ? "0 or more" : "at most " + std::to_string(most)) + ": got strides " +
                 to_string(view.strides));
        }
    }
}

// Two slices of one array, such as different channels of it, lie between each other without sharing elements: memory
// repeats in periods, in each of which elements of one slice are followed by elements of the other. Returns whether `a`
// and `b` lie like that in periods of this many bytes, of which the first begins with the first element of `a`.
bool are_apart_in_periods(const View<const void> &a, const View<const void> &b, int64_t period) {
    const auto bytes_in_period = [&](const View<const void> &view) {
        int64_t bytes = size_of(view.dtype);
        for (size_t d = 0; d < view.sizes.size(); d++) {
            const int64_t stride = view.sizes[d] > 1 ? multiply(view.strides[d], size_of(view.dtype)) : 0;
            bytes = stride % period == 0 ? bytes : add(bytes, multiply(view.sizes[d] - 1, stride));
        }
        return bytes;
    };
    const int64_t distance = static_cast<const char *>(b.data) - static_cast<const char *>(a.data),
                  begin = (distance % period + period) % period;
    return bytes_in_period(a) <= begin && add(begin, bytes_in_period(b)) <= period;
}

// Returns false if two views certainly share no memory: if one ends before the other begins, or if they are apart in
// periods as long as one of the strides of `one`.
bool overlap(const View<const void> &one, const View<const void> &other) {
    const View<const void> a = in_memory_order(one), b = in_memory_order(other);
    const auto *const first_of_a = static_cast<const char *>(a.data), *const first_of_b =
                                                                          static_cast<const char *>(b.data);
    bool together = first_of_a < first_of_b + span(b) && first_of_b < first_of_a + span(a);
    for (size_t d = 0; d < a.sizes.size(); d++) {
        together = together && !(a.sizes[d] > 1 && a.strides[d] > 0 &&
                                 are_apart_in_periods(a, b, multiply(a.strides[d], size_of(a.dtype))));
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

// Returns true if certainly no two elements of a view share memory, by the usual sufficient test: each stride is larger
// than the distance from the first to the last element along all dimensions of smaller strides.
bool elements_are_distinct(const Shape &sizes, const Shape &strides) {
    std::vector<std::pair<int64_t, int64_t>> dimensions;
    for (size_t d = 0; d < sizes.size(); d++) {
        if (sizes[d] > 1) {
            dimensions.emplace_back(strides[d] < 0 ? multiply(strides[d], -1) : strides[d], sizes[d]);
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

bool has_elements(const Shape &sizes) {
    return std::find(sizes.begin(), sizes.end(), 0) == sizes.end();
}

void check_view(const NamedView &array, int spatial, Strides strides) {
    check_memory(array);
    if (has_elements(array.view.sizes)) {
        check_strides(array, channel_dimension(array.view.sizes.size(), spatial), strides);
        check_spatial_of(array, spatial);
    }
}

void check_strided(const NamedView &array, Strides strides) {
    check_memory(array);
    if (has_elements(array.view.sizes)) {
        check_strides(array, array.view.sizes.size(), strides);
    }
}

void check_shape(const char *name, const Shape &shape, const Shape &expected) {
    if (shape != expected) {
        fail(std::string("expected ") + name + " of size " + to_string(expected) + ", but got " + to_string(shape));
    }
}

void check_distinct(const NamedView &written) {
    const auto &[name, view] = written;
    if (has_elements(view.sizes) && !elements_are_distinct(view.sizes, view.strides)) {
        fail(std::string("elements of ") + name + " share memory: size " + to_string(view.sizes) + ", strides " +
             to_string(view.strides));
    }
}

void check_apart(const NamedView &read, const NamedView &written) {
    if (has_elements(read.view.sizes) && has_elements(written.view.sizes) && overlap(read.view, written.view)) {
        fail(std::string(read.name) + " and " + written.name + " overlap");
    }
}

namespace {

// Returns the layout in which the arrays that do not have it have the fewest bytes.
Layout layout_of_most(const std::vector<NamedView> &arrays, Layout preferred, int spatial) {
    const auto bytes_to_copy = [&](Layout layout) {
        int64_t bytes = 0;
        for (const NamedView &array : arrays) {
            const View<const void> &view = array.view;
            bytes += can_be(layout, view, spatial) ? 0 : product(view.sizes) * size_of(view.dtype);
        }
        return bytes;
    };
    const Layout other = other_than(preferred);
    return bytes_to_copy(other) < bytes_to_copy(preferred) ? other : preferred;
}

}  // namespace

Layout common_layout(const std::vector<NamedView> &arrays, Layout preferred, int spatial, Strides strides) {
    for (Layout layout : {preferred, other_than(preferred)}) {
        if (std::all_of(arrays.begin(), arrays.end(), [&](const NamedView &array) {
                return !has_elements(array.view.sizes) || can_be(layout, array.view, spatial);
            })) {
            return layout;
        }
    }
    if (strides == Strides::any) {
        return layout_of_most(arrays, preferred, spatial);
    }
    std::string names = arrays.front().name, layouts;
    for (size_t i = 1; i < arrays.size(); i++) {
        names += (i + 1 == arrays.size() ? " and " : ", ") + std::string(arrays[i].name);
    }
    for (const NamedView &array : arrays) {
        layouts += layouts_of(array, spatial);
    }
    constexpr const char *each[] = {"", " both", " all"};
    const size_t rank = arrays.front().view.sizes.size();
    fail(names + " must" + each[std::min<size_t>(arrays.size(), 3) - 1] +
         " have dense columns (ncdhw: stride 1 in dimension " + std::to_string(rank - 1) +
         ") or dense channels (ndhwc: stride 1 in dimension " + std::to_string(channel_dimension(rank, spatial)) + ")" +
         layouts);
}

void check_sizes(const Shape &sizes, int spatial) {
    check_spatial(spatial);
    const auto least = static_cast<size_t>(spatial) + 1;
    if (sizes.size() != least && sizes.size() != least + 1) {
        fail("an array of " + std::to_string(spatial) + " dimensions of space has " + std::to_string(least) + " or " +
             std::to_string(least + 1) + " sizes, but got " + std::to_string(sizes.size()) + ": " + to_string(sizes));
    }
    if (*std::min_element(sizes.begin(), sizes.end()) < 0) {
        fail("sizes must be 0 or more, but got " + to_string(sizes));
    }
}

Layout check_input(const View<const void> &input, const std::optional<Layout> &wanted, int spatial) {
    check_view({"input", input}, spatial, Strides::any);
    const Layout usual = Layout::ncdhw;
    if (!has_elements(input.sizes)) {
        return wanted.value_or(usual);
    }
    if (wanted && can_be(*wanted, input, spatial)) {
        return *wanted;
    }
    // If both layouts are possible, the usual one is taken, unless its dense dimension has only one element.
    const Layout other = other_than(usual);
    const bool one_element = input.sizes[dense_dimension(usual, input.sizes.size(), spatial)] == 1;
    return (one_element || !can_be(usual, input, spatial)) && can_be(other, input, spatial) ? other : usual;
}

void check_output_shape(const Shape &shape, const Shape &expected) {
    check_shape("output", shape, expected);
}

void check_residual_type(DType dtype, DType output) {
    if (dtype != output) {
        fail(std::string("expected a residual of the output's type ") + to_string(output) + ", but got " +
             to_string(dtype));
    }
}

void check_residual_shape(const Shape &shape, const Shape &output) {
    if (shape != output) {
        fail("expected a residual of the output's size " + to_string(output) + ", but got " + to_string(shape));
    }
}

Layout check_views(const View<const void> &input, const View<void> &output, const View<const void> *residual,
                   const Shape &expected_output, Layout preferred, int spatial, Strides strides) {
    const View<const void> written = output;
    const NamedView from{"input", input}, to{"output", written};
    std::vector<NamedView> arrays{from, to};
    check_view(from, spatial, strides);
    check_view(to, spatial, strides);
    check_types({input.dtype, output.dtype});
    check_output_shape(output.sizes, expected_output);
    if (residual != nullptr) {
        arrays.push_back({"residual", *residual});
        check_view(arrays.back(), spatial, strides);
        check_residual_type(residual->dtype, output.dtype);
        check_residual_shape(residual->sizes, output.sizes);
    }
    if (!has_elements(output.sizes)) {
        return preferred;
    }
    check_distinct(to);
    check_apart(from, to);
    if (residual != nullptr && overlap(*residual, written) && !is_same(*residual, written)) {
        fail("residual and output overlap, and are not the same");
    }
    return common_layout(arrays, preferred, spatial, strides);
}

void check_on_cuda(Device device) {
    if (device != Device::cuda) {
        fail("a CudaStream is for layers on CUDA: see set_device");
    }
}

}  // namespace unstride
