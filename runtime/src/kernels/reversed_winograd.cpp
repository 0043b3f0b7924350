// Sums of the input gradient by minimal filters. A kernel's input is the gradient of the layer's output, and its output
// that of the layer's input (reversed()).

#include <array>
#include <vector>

#include "kernels/minimal_filter_cost.h"
#include "kernels/minimal_filters.h"

namespace unstride {
namespace {

// Returns the taps of a filter along a dimension: of the taps that are the same modulo the stride, the most.
int64_t filter_taps(const Extent &e) {
    return divide_up(e.kernel, e.axis.stride);
}

// Returns the elements of a filter along a dimension: for each of the taps' remainders modulo the stride one more than
// it has taps.
int64_t filter_elements(const Extent &e) {
    return e.kernel + e.axis.stride;
}

// Returns why a layer cannot be summed in this way; empty if it can.
std::string no_reversed_filters(const ConvTranspose3dOptions &o) {
    for (int d = 0; d < 2; d++) {
        if (o.kernel_size[d] < o.stride[d] || o.kernel_size[d] > 3 * o.stride[d]) {
            return "needs one to three taps in each phase along depth and height";
        }
        if (o.dilation[d] != 1) {
            return "needs dilation 1 along depth and height";
        }
    }
    return "";
}

OutputPairs reversed_pairs(const Extent &e) {
    const int64_t most = divide_up(e.output, 2), elements = filter_elements(e), taps = filter_taps(e);
    return {
        most,           elements, taps + 1, as_double(multiply(most, elements)), as_double(multiply(most, taps + 1)),
        as_double(taps)};
}

struct ReversedPairs {
    static OutputPairs pairs(const Extent &e) {
        return reversed_pairs(e);
    }
    static double taps(const Extent &x) {
        return as_double(x.kernel);
    }
    static int64_t tiles_in_phase(int64_t columns, const Extent &x) {
        return divide_up(x.output, columns);
    }
    static int64_t tiles(int64_t columns, const Extent &x) {
        return tiles_in_phase(columns, x);
    }
    static int64_t slab_columns(const Entry &entry, const Extent &x) {
        return reversed_slab_width(entry.variant.columns, x);
    }
    static int64_t inputs(const Extent &e, const OutputPairs & /*pairs*/, int64_t count) {
        return reversed_inputs(e, 2 * count);
    }
    static int64_t calls(const Geometry & /*geometry*/) {
        return 1;
    }
};

// Returns a single cut that is all of the depth or the height, whose kernel is a filter.
std::vector<Cut> cut_filter(const Extent &e) {
    std::vector<Cut> cuts = cut_nothing(e);
    cuts.front().kernel = filter_elements(e);
    return cuts;
}

// In ncdhw, channels are staged by cache lines.
bool reversed_filters_pay(const Geometry &geometry) {
    constexpr int64_t channels_at_once = 16;
    const auto &[z, y, x] = geometry.extent;
    const int64_t staged = divide_up(geometry.channels.inputs, channels_at_once) * channels_at_once * x.axis.stride;
    const OutputPairs of_z = reversed_pairs(z), of_y = reversed_pairs(y);
    const double outputs = as_double(z.output * y.output);
    return minimal_filters_pay(geometry.channels,
                               {of_z.all_elements * of_y.all_elements / outputs,
                                of_z.all_products * of_y.all_products / outputs, of_z.taps * of_y.taps,
                                as_double(z.kernel * y.kernel)},
                               as_double(x.kernel), as_double(staged));
}

std::vector<PanelContents> one_set_of_filters(const Geometry &geometry, const Channels &seen) {
    const auto &[z, y, x] = geometry.extent;
    return {{seen, product({filter_elements(z), filter_elements(y), x.kernel})}};
}

// A tap that is missing.
template<typename T>
constexpr std::array<T, filters_at_once> no_tap{};

// Writes the elements of filters of `count` taps along one dimension, for each remainder of the stride. The kernel's
// taps lie `step` numbers apart at `taps`, and elements at `to`. Of the taps that a remainder has, the last reads
// furthest right; where one is missing, it is zero.
template<int64_t count, typename T>
void transform_axis(const Extent &e, const T *taps, int64_t step, T *to, int64_t to_step) {
    const int64_t stride = e.axis.stride;
    for (int64_t r = 0; r < stride; r++) {
        std::array<const T *, count> of_remainder;
        for (int64_t t = 0; t < count; t++) {
            const int64_t tap = r + (count - 1 - t) * stride;
            of_remainder[t] = tap < e.kernel ? taps + tap * step : no_tap<T>.data();
        }
        std::array<T, (count + 1) * filters_at_once> elements;
        transform_taps<count, T>(of_remainder, elements.data(), filters_at_once);
        for (int64_t m = 0; m <= count && m * stride + r < filter_elements(e); m++) {
            std::copy_n(elements.data() + m * filters_at_once, filters_at_once, to + (m * stride + r) * to_step);
        }
    }
}

// Calls the function above for the number of taps that filters have, from one to three.
template<typename T>
void transform_along(const Extent &e, const T *taps, int64_t step, T *to, int64_t to_step) {
    using Function = void (*)(const Extent &, const T *, int64_t, T *, int64_t);
    constexpr Function functions[3] = {transform_axis<1, T>, transform_axis<2, T>, transform_axis<3, T>};
    functions[filter_taps(e) - 1](e, taps, step, to, to_step);
}

// Writes the filters along height and depth, which are [depth][height][width] (Repacking). The kernel's slices are
// transformed along the height first, to where the filter's last ones will be. Along the depth, taps and elements of a
// remainder then have the same places, and all taps are read before an element is written.
template<typename T>
void transform_filters(const Geometry &geometry, size_t /*set*/, const T *taps, T *elements) {
    const auto &[z, y, x] = geometry.extent;
    const int64_t row = x.kernel * filters_at_once, slice = filter_elements(y) * row;
    T *const slices = elements + z.axis.stride * slice;
    for (int64_t kz = 0; kz < z.kernel; kz++) {
        for (int64_t i = 0; i < row; i += filters_at_once) {
            transform_along(y, taps + kz * y.kernel * row + i, row, slices + kz * slice + i, row);
        }
    }
    for (int64_t i = 0; i < slice; i += filters_at_once) {
        transform_along(z, slices + i, slice, elements + i, slice);
    }
}

constexpr CostModel reversed_winograd_cost = MinimalFilterCost<ReversedPairs>::model();

}  // namespace

extern const SumsRules reversed_winograd_sums{
    Sums::winograd,
    "winograd",
    reversed_filters_pay,
    no_reversed_filters,
    cut_filter,
    one_phase,
    2,      // outputs of a row
    false,  // has blocks of products
    one_set_of_filters,
    {nullptr, transform_filters<float>},
    {nullptr, transform_filters<double>},
    &reversed_winograd_cost,
    &gpu_cost,
};

}  // namespace unstride
