// Sums of the forward by minimal filters.

#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

#include "kernels/minimal_filter_cost.h"
#include "kernels/minimal_filters.h"
#include "problem/checked.h"

namespace unstride {
namespace {

// Returns whether each phase of a dimension has from one to three taps.
bool has_minimal_filters(int64_t kernel, int64_t stride, int64_t dilation) {
    return kernel >= stride && kernel <= 3 * stride && std::gcd(stride, dilation) == 1;
}

// Returns why a layer cannot be summed in this way; empty if it can.
std::string no_minimal_filters(const ConvTranspose3dOptions &o) {
    for (int d = 0; d < 2; d++) {
        if (!has_minimal_filters(o.kernel_size[d], o.stride[d], o.dilation[d])) {
            return "needs one to three taps in each phase along depth and height";
        }
    }
    return "";
}

OutputPairs output_pairs(const Extent &e) {
    OutputPairs result{0, 0, 0, 0, 0, taps(e)};
    for (const Cut &cut : cut_into_phases(e)) {
        const int64_t count = divide_up(cut.output.count, 2), products = cut.kernel;
        result.most = std::max(result.most, count);
        result.products = std::max(result.products, products);
        result.all_products += as_double(count * products);
    }
    // A phase has a filter of its own.
    result.elements = result.products;
    result.all_elements = result.all_products;
    return result;
}

// Each pair of a phase of the depth and a phase of the height is a call.
struct GatheredPairs {
    static OutputPairs pairs(const Extent &e) {
        return output_pairs(e);
    }
    static double taps(const Extent &x) {
        return unstride::taps(x);
    }
    static int64_t tiles_in_phase(int64_t columns, const Extent &x) {
        return unstride::tiles_in_phase(columns, x);
    }
    static int64_t tiles(int64_t columns, const Extent &x) {
        return tiles_in_phase(columns, x) * std::min(x.axis.stride, x.output);
    }
    static int64_t slab_columns(const Entry &entry, const Extent &x) {
        return slab_width(entry, entry.variant.columns, x);
    }
    // Returns how many inputs `count` neighbouring pairs read. A pair reads one more than it has taps.
    static int64_t inputs(const Extent &e, const OutputPairs &pairs, int64_t count) {
        return std::min(2 * (count - 1) + pairs.products, e.input);
    }
    static int64_t calls(const Geometry &geometry) {
        return static_cast<int64_t>(cut_into_phases(geometry.extent[0]).size() *
                                    cut_into_phases(geometry.extent[1]).size());
    }
};

// Multiplications of an output along depth and height, for each input channel and each tap along the width.
struct Multiplications {
    double minimal, direct;
};

Multiplications multiplications(const Geometry &geometry) {
    const auto &[z, y, x] = geometry.extent;
    return {output_pairs(z).all_products * output_pairs(y).all_products / as_double(z.output * y.output),
            taps(z) * taps(y)};
}

bool gathered_filters_pay(const Geometry &geometry) {
    const Extent &x = geometry.extent[2];
    const auto [minimal, direct] = multiplications(geometry);
    return minimal_filters_pay(geometry.channels, {minimal, minimal, direct, direct}, taps(x),
                               as_double(geometry.channels.inputs) / as_double(x.axis.stride));
}

// The first taps of a phase of the depth and of a phase of the height, which tell these phases apart. Each such pair of
// phases has a set of panels with weights of its own.
struct FirstTaps {
    int64_t z, y;
};

// Returns the phases that a set of panels is for.
FirstTaps first_taps_of(const Geometry &geometry, size_t set) {
    const int64_t stride = geometry.extent[1].axis.stride;
    return {static_cast<int64_t>(set) / stride, static_cast<int64_t>(set) % stride};
}

int64_t taps_of_phase(const Extent &e, int64_t first_tap) {
    return divide_up(e.kernel - first_tap, e.axis.stride);
}

std::vector<PanelContents> panels_of_phases(const Geometry &geometry, const Channels &seen) {
    const auto &[z, y, x] = geometry.extent;
    std::vector<PanelContents> sets(static_cast<size_t>(product({z.axis.stride, y.axis.stride})));
    for (size_t set = 0; set < sets.size(); set++) {
        const FirstTaps first = first_taps_of(geometry, set);
        const int64_t products_z = taps_of_phase(z, first.z) + 1, products_y = taps_of_phase(y, first.y) + 1;
        sets[set] = {seen, product({products_z, products_y, x.kernel})};
    }
    return sets;
}

// Writes what one pair of phases multiplies by, as [depth products][height products][width], to `elements`. It comes
// from `taps`, which are [depth][height][width] (Repacking).
template<int64_t taps_z, int64_t taps_y, typename T>
void transform_phases(const Geometry &geometry, const FirstTaps &first, const T *taps, T *elements) {
    const auto &[z, y, x] = geometry.extent;
    constexpr int64_t elements_y = taps_y + 1;
    std::array<T, taps_z * elements_y * filters_at_once> along_y;
    for (int64_t kx = 0; kx < x.kernel; kx++) {
        for (int64_t j = 0; j < taps_z; j++) {
            std::array<const T *, taps_y> of_row;
            for (int64_t i = 0; i < taps_y; i++) {
                const int64_t kz = first.z + j * z.axis.stride, ky = first.y + i * y.axis.stride;
                of_row[i] = taps + ((kz * y.kernel + ky) * x.kernel + kx) * filters_at_once;
            }
            transform_taps<taps_y, T>(of_row, along_y.data() + j * elements_y * filters_at_once, filters_at_once);
        }
        for (int64_t m = 0; m < elements_y; m++) {
            std::array<const T *, taps_z> of_column;
            for (int64_t j = 0; j < taps_z; j++) {
                of_column[j] = along_y.data() + (j * elements_y + m) * filters_at_once;
            }
            transform_taps<taps_z, T>(of_column, elements + (m * x.kernel + kx) * filters_at_once,
                                      elements_y * x.kernel * filters_at_once);
        }
    }
}

// Transforms the taps that the pair of phases of this set has (Repacking).
template<typename T>
void transform_set(const Geometry &geometry, size_t set, const T *taps, T *elements) {
    using Function = void (*)(const Geometry &, const FirstTaps &, const T *, T *);
    constexpr Function functions[3][3] = {
        {transform_phases<1, 1, T>, transform_phases<1, 2, T>, transform_phases<1, 3, T>},
        {transform_phases<2, 1, T>, transform_phases<2, 2, T>, transform_phases<2, 3, T>},
        {transform_phases<3, 1, T>, transform_phases<3, 2, T>, transform_phases<3, 3, T>}};
    const FirstTaps first = first_taps_of(geometry, set);
    const int64_t taps_z = taps_of_phase(geometry.extent[0], first.z),
                  taps_y = taps_of_phase(geometry.extent[1], first.y);
    functions[taps_z - 1][taps_y - 1](geometry, first, taps, elements);
}

constexpr CostModel winograd_cost = MinimalFilterCost<GatheredPairs>::model();

}  // namespace

double saved_by_minimal_filters(const Geometry &geometry) {
    for (int d = 0; d < 2; d++) {
        const Extent &e = geometry.extent[d];
        if (!has_minimal_filters(e.kernel, e.axis.stride, e.axis.dilation)) {
            return 1;
        }
    }
    const auto [minimal, direct] = multiplications(geometry);
    return gathered_filters_pay(geometry) ? direct / minimal : 1;
}

// Outputs of a phase are computed in pairs, so that a row or a slice of a Split stands for two outputs.
extern const SumsRules winograd_sums{
    Sums::winograd,
    "winograd",
    gathered_filters_pay,
    no_minimal_filters,
    cut_into_phases,
    cut_width,
    2,      // outputs of a row
    false,  // has blocks of products
    panels_of_phases,
    {nullptr, transform_set<float>},
    {nullptr, transform_set<double>},
    &winograd_cost,
    &gpu_cost,
};

}  // namespace unstride
