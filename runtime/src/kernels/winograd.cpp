// Sums by minimal filters (Winograd's algorithm) along depth and height. docs/algorithm.md explains the mathematics,
// and generators/minimal_filter.h has the arithmetic of the kernels.

#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

#include "device/machine.h"
#include "kernels/boxes.h"
#include "kernels/catalog.h"
#include "kernels/panels.h"
#include "problem/checked.h"
#include "process/thread_pool.h"

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

// Writes the numbers that the minimal filter of a phase multiplies by, which are one more than the phase has taps.
// There are `count` taps at `w`, from one to three, which lie `step` elements apart. The numbers go to `to`, `to_step`
// apart. Packing large weights anew takes as long as these lines, so that counts are constants.
template<int64_t count, typename T>
void transform(const T *w, int64_t step, T *to, int64_t to_step) {
    const T w0 = w[0], w1 = count > 1 ? w[step] : 0, w2 = count > 2 ? w[2 * step] : 0;
    const std::array<std::array<T, 4>, 3> products = {
        {{w0, w0}, {w1, w0 + w1, w0}, {w2, (w0 + w1 + w2) / 2, (w0 - w1 + w2) / 2, w0}}};
    for (int64_t m = 0; m <= count; m++) {
        to[m * to_step] = products[count - 1][m];
    }
}

// The outputs of a dimension in pairs of neighbours of one phase, as a minimal filter computes two outputs at a time.
struct OutputPairs {
    int64_t most;         // pairs of the longest phase
    int64_t products;     // products for each pair, in the phase that has most
    double all_products;  // products of all pairs of all phases together
};

OutputPairs output_pairs(const Extent &e) {
    OutputPairs result{0, 0, 0};
    for (const Cut &cut : cut_into_phases(e)) {
        const int64_t count = divide_up(cut.output.count, 2), products = cut.kernel;
        result.most = std::max(result.most, count);
        result.products = std::max(result.products, products);
        result.all_products += as_double(count * products);
    }
    return result;
}

// A layer and the kernel that is to compute it, with the sizes that the scratch memory of a task depends on.
class Tasks {
public:
    Tasks(const Entry &entry, const Geometry &geometry)
        : z(output_pairs(geometry.extent[0])), y(output_pairs(geometry.extent[1])), entry_(entry), geometry_(geometry),
          tiles_(tiles_in_phase(entry.variant.columns, geometry.extent[2])),
          staged_(product({slab_width(entry, entry.variant.columns, geometry.extent[2]),
                           staged_channels(entry, geometry.channels.inputs)})),
          products_(product({tiles_, entry.variant.columns, entry.variant.block, entry.variant.stride_x})) {
    }

    // Returns the elements of scratch memory that a task takes: for the input that it stages, for what it transposes on
    // the way, and for its products.
    int64_t scratch(const Split &split) const {
        // Returns how many inputs `count` neighbouring pairs read.
        const auto inputs = [](const Extent &e, const OutputPairs &p, int64_t count) {
            return std::min(2 * (count - 1) + p.products, e.input);
        };
        const int64_t filters = product({z.products, y.products, split.rows, split.slices, split.items});
        const int64_t turned = product(
            {inputs(geometry_.extent[0], z, split.slices), inputs(geometry_.extent[1], y, split.rows), split.items});
        return multiply(filters, staged_ + products_) + turned_elements(entry_, geometry_.extent[2], turned);
    }

    // Returns how many tiles of one phase along the width and one block a task computes.
    double tiles(const Split &split) const {
        return as_double(tiles_) * as_double(split.rows) * as_double(split.slices) * as_double(split.items);
    }

    const OutputPairs z, y;

private:
    const Entry &entry_;
    const Geometry &geometry_;
    const int64_t tiles_;              // of a phase of a row
    const int64_t staged_, products_;  // elements of the slab and of the products, for a pair of pairs
};

// The expected time of a kernel on a layer. The planner weighs hundreds of splits, so that all which does not depend on
// the split is worked out once.
class Work {
public:
    Work(const Entry &entry, const Geometry &geometry, const Machine &machine);

    // Returns the expected time with a split.
    Estimate estimate(const Split &split) const;

    // Returns the split of least expected time, whose tasks have `rows` rows of pairs, or any number if this is 0.
    Split best_split(int64_t rows) const;

private:
    const Entry &entry_;
    const Geometry &geometry_;
    const Machine &machine_;
    const Core core_;
    const Tasks tasks_;
    const int64_t blocks_;
    const int64_t calls_;      // one for each pair of a phase of the depth and a phase of the height
    double products_;          // that are computed, in tiles
    double steps_;             // of the inner loop, for a tile of products
    double step_;              // cycles of a step that finds all in the caches near the core
    double first_;             // further cycles of a step of the first tile of a task, which fetches a panel
    double far_;               // further cycles of a step whose input comes from beyond the L2 cache
    double stores_, staging_;  // cycles; those of staging are for one share of the output channels
};

Work::Work(const Entry &entry, const Geometry &geometry, const Machine &machine)
    : entry_(entry), geometry_(geometry), machine_(machine), core_(core_of(entry, machine)), tasks_(entry, geometry),
      blocks_(blocks(entry, geometry)), calls_(static_cast<int64_t>(cut_into_phases(geometry.extent[0]).size() *
                                                                    cut_into_phases(geometry.extent[1]).size())) {
    const Variant &v = entry.variant;
    const auto [groups, inputs, outputs] = geometry.channels;
    const auto &[z, y, x] = geometry.extent;
    const double batch = as_double(geometry.batch), lanes = entry.lanes,
                 filters = tasks_.z.all_products * tasks_.y.all_products;

    // A step of a tile's inner loop is the same as in direct sums across channels. All tiles of a task read a panel one
    // after the other, and the first of them has to fetch it from beyond the L2 cache.
    const double m = v.block / lanes, n = v.columns;
    const double weights = as_double(v.block * sum_bytes(entry)), panel = weights * as_double(inputs) * taps(x);
    const double again = panel <= 0.75 * as_double(machine.l1d) ? 0 : weights / core_.microarchitecture.bytes_from_l2;
    step_ = std::max(cycles_of_step(core_, {m * n, m, n}), again);
    first_ = weights / core_.microarchitecture.bytes_from_beyond;
    far_ = n * as_double(sum_bytes(entry)) / (2 * core_.microarchitecture.bytes_from_beyond);
    steps_ = as_double(inputs) * taps(x);

    const double tiles = batch * as_double(groups * blocks_) *
                         as_double(tiles_in_phase(v.columns, x) * std::min(x.axis.stride, x.output));  // of a row
    products_ = tiles * filters;
    const double sums = m * n * 2 / core_.rates.multiply_adds + 8;  // of the products of a tap
    const double of_outputs =
        as_double(z.output * y.output) * (cycles_of_store(entry, geometry, core_) + taps(z) * taps(y) * sums);
    stores_ = tiles * (filters * m * n * (1 / core_.rates.stores + 0.5) + of_outputs);

    // Four vectors are loaded to stage one, unless elements are transposed, which takes a cycle each. A pair stages one
    // input more than it has taps, which are as many as it has products.
    const double vectors =
        batch * as_double(groups * slab_width(entry, v.columns, x) * inputs) / lanes * calls_along_x(entry, geometry);
    staging_ = vectors * filters * (is_turned(entry) ? lanes : cycles_of_copy(core_, 4));
}

Estimate Work::estimate(const Split &split) const {
    constexpr double cycles_of_tile = 35;
    // Input comes from beyond the L2 cache if a task's scratch memory is larger than that.
    const bool near = tasks_.scratch(split) * sum_bytes(entry_) <= machine_.l2;
    const double step = step_ + first_ / tasks_.tiles(split) + (near ? 0 : far_);
    const double shares = as_double(divide_up(blocks_, split.blocks));
    const Estimate counted{products_ * (steps_ * step + cycles_of_tile), stores_, staging_ * shares};
    return counted.weighted(core_.microarchitecture);
}

Split Work::best_split(int64_t rows) const {
    const Boxes all{tasks_.y.most, tasks_.z.most, geometry_.batch, geometry_.channels.groups, blocks_, calls_};
    return best_boxes(all, rows, machine_.threads,
                      {[this](const Split &split) { return tasks_.scratch(split) * sum_bytes(entry_); },
                       [this](const Split &split) { return estimate(split).total(); }});
}

Estimate estimate_winograd(const Entry &entry, const Geometry &geometry, const Split &split, const Machine &machine) {
    return Work(entry, geometry, machine).estimate(split);
}

Split split_winograd(const Entry &entry, const Geometry &geometry, int64_t rows, const Machine &machine) {
    return Work(entry, geometry, machine).best_split(rows);
}

int64_t scratch_of_winograd(const Entry &entry, const Geometry &geometry, const Split &split) {
    return Tasks(entry, geometry).scratch(split);
}

// Multiplications of an output along depth and height, for each input channel and each tap along the width.
struct Multiplications {
    double minimal, direct;
};

Multiplications multiplications(const Geometry &geometry) {
    const auto &[z, y, x] = geometry.extent;
    return {output_pairs(z).all_products * output_pairs(y).all_products / as_double(z.output * y.output),
            taps(z) * taps(y)};
}

// Returns whether minimal filters are expected to take less time than direct sums (SumsRules::pays).
bool minimal_filters_pay(const Geometry &geometry) {
    const Extent &x = geometry.extent[2];
    const double inputs = as_double(geometry.channels.inputs), outputs = as_double(geometry.channels.outputs);
    const double blocks_of_16 = as_double(divide_up(geometry.channels.outputs, 16));
    const auto [products, direct] = multiplications(geometry);

    // The numbers are cycles for a tile of 16 channels by 4 columns, in vectors of 8. A step takes 4. It takes 47 to
    // store the tile of one product and go on to the next, 16 to add a product to an output, and about 1 to stage an
    // element of input. Direct kernels have tiles for fewer channels as well, so that they waste nothing on channels
    // that are not there.
    const double winograd = products * (4 * inputs * taps(x) + 47) + direct * 16 +
                            products * 4.8 * inputs / (blocks_of_16 * as_double(x.axis.stride));
    constexpr double gain = 0.97;
    return winograd < gain * direct * 4 * inputs * taps(x) * outputs / (16 * blocks_of_16);
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

// Writes what one pair of phases multiplies by, as [depth products][height products][width], to `to`. It comes from the
// taps at `filter`, which are [depth][height][width] with `step` elements from tap to tap.
template<int64_t taps_z, int64_t taps_y, typename T>
void transform_filter(const Geometry &geometry, const FirstTaps &first, const T *filter, int64_t step, T *to) {
    const auto &[z, y, x] = geometry.extent;
    const int64_t row = x.kernel * step, slice = y.kernel * row;
    constexpr int64_t products_y = taps_y + 1;
    std::array<T, taps_z * products_y> along_y;
    for (int64_t kx = 0; kx < x.kernel; kx++) {
        const T *from = filter + first.z * slice + first.y * row + kx * step;
        for (int64_t j = 0; j < taps_z; j++) {
            transform<taps_y>(from + j * z.axis.stride * slice, y.axis.stride * row, along_y.data() + j * products_y,
                              1);
        }
        for (int64_t m = 0; m < products_y; m++) {
            transform<taps_z>(along_y.data() + m, products_y, to + m * x.kernel + kx, products_y * x.kernel);
        }
    }
}

// Returns the function above for these numbers of taps, from one to three.
template<typename T>
auto filter_transform(int64_t taps_z, int64_t taps_y) {
    using Function = void (*)(const Geometry &, const FirstTaps &, const T *, int64_t, T *);
    constexpr Function functions[3][3] = {
        {transform_filter<1, 1, T>, transform_filter<1, 2, T>, transform_filter<1, 3, T>},
        {transform_filter<2, 1, T>, transform_filter<2, 2, T>, transform_filter<2, 3, T>},
        {transform_filter<3, 1, T>, transform_filter<3, 2, T>, transform_filter<3, 3, T>}};
    return functions[taps_z - 1][taps_y - 1];
}

// Returns the weights of a set of panels (Arrange).
template<typename T>
std::vector<T> transformed(const Geometry &geometry, const Weights<T> &weights, size_t set) {
    const auto &[groups, inputs, outputs] = geometry.channels;
    const FirstTaps first = first_taps_of(geometry, set);
    const int64_t taps_z = taps_of_phase(geometry.extent[0], first.z),
                  taps_y = taps_of_phase(geometry.extent[1], first.y),
                  products = product({taps_z + 1, taps_y + 1, geometry.extent[2].kernel});
    const auto transform_one = filter_transform<T>(taps_z, taps_y);
    std::vector<T> result(static_cast<size_t>(product({groups, inputs, outputs, products})));
    share_turns(threads_to_pack(result.size()), groups * inputs, [&, inputs = inputs, outputs = outputs](int64_t i) {
        T *to = result.data() + i * outputs * products;
        for (int64_t o = 0; o < outputs; o++, to += products) {
            transform_one(geometry, first, weights.filter(i / inputs, i % inputs, o), weights.strides.tap, to);
        }
    });
    return result;
}

constexpr CostModel winograd_cost{estimate_winograd, split_winograd, scratch_of_winograd};

}  // namespace

double saved_by_minimal_filters(const Geometry &geometry) {
    for (int d = 0; d < 2; d++) {
        const Extent &e = geometry.extent[d];
        if (!has_minimal_filters(e.kernel, e.axis.stride, e.axis.dilation)) {
            return 1;
        }
    }
    const auto [minimal, direct] = multiplications(geometry);
    return minimal_filters_pay(geometry) ? direct / minimal : 1;
}

// Outputs of a phase are computed in pairs, so that a row or a slice of a Split stands for two outputs.
extern const SumsRules winograd_sums{
    Sums::winograd,
    "winograd",
    minimal_filters_pay,
    no_minimal_filters,
    cut_into_phases,
    cut_width,
    2,      // outputs of a row
    false,  // has blocks of products
    panels_of_phases,
    transformed<float>,
    transformed<double>,
    &winograd_cost,
    &gpu_cost,
};

}  // namespace unstride
