#ifndef UNSTRIDE_RUNTIME_KERNELS_MINIMAL_FILTER_COST_H
#define UNSTRIDE_RUNTIME_KERNELS_MINIMAL_FILTER_COST_H

#include <algorithm>
#include <cstdint>

#include "kernels/boxes.h"
#include "kernels/catalog.h"
#include "problem/checked.h"

namespace unstride {

// The outputs of a dimension in pairs of neighbours of one phase, as a minimal filter computes two outputs at a time.
struct OutputPairs {
    int64_t most;         // pairs of the longest phase
    int64_t elements;     // of the filter, for each of which a pair stages a row of inputs
    int64_t products;     // of a pair, each the sum of one element or several
    double all_elements;  // elements of all pairs of all phases together
    double all_products;
    double taps;  // of an output, on average
};

// The model of cost of kernels with minimal filters. `Rows` has what operators differ in: the pairs of a dimension, how
// many taps along the width an output has, how many tiles all phases of a row of outputs take, the columns of a slab,
// the rows of input that neighbouring pairs read, and how many calls compute a layer.
template<typename Rows>
class MinimalFilterCost {
public:
    static constexpr CostModel model() {
        return {estimate, split, scratch};
    }

private:
    // A layer and the kernel that is to compute it, with the sizes that the scratch memory of a task depends on.
    class Tasks {
    public:
        Tasks(const Entry &entry, const Geometry &geometry)
            : z(Rows::pairs(geometry.extent[0])), y(Rows::pairs(geometry.extent[1])), entry_(entry),
              geometry_(geometry), tiles_(Rows::tiles_in_phase(entry.variant.columns, geometry.extent[2])),
              staged_(product(
                  {Rows::slab_columns(entry, geometry.extent[2]), staged_channels(entry, geometry.channels.inputs)})),
              products_(product({tiles_, entry.variant.columns, entry.variant.block, entry.variant.stride_x})) {
        }

        // Returns the elements of scratch memory that a task takes: for the input that it stages, for what it
        // transposes on the way, and for its products.
        int64_t scratch(const Split &split) const {
            const int64_t pairs = product({split.rows, split.slices, split.items});
            const int64_t turned = product({Rows::inputs(geometry_.extent[0], z, split.slices),
                                            Rows::inputs(geometry_.extent[1], y, split.rows), split.items});
            const int64_t of_pair =
                add(product({z.elements, y.elements, staged_}), product({z.products, y.products, products_}));
            return add(multiply(pairs, of_pair), turned_elements(entry_, geometry_.extent[2], turned));
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
        const int64_t staged_, products_;  // elements of the slab and of the products, for an element and a product
    };

    // The expected time of a kernel on a layer. The planner weighs hundreds of splits, so that all which does not
    // depend on the split is worked out once.
    class Work {
    public:
        Work(const Entry &entry, const Geometry &geometry, const Machine &machine);

        // Returns the expected time with a split.
        Estimate estimate(const Split &split) const {
            constexpr double cycles_of_tile = 35;
            // Input comes from beyond the L2 cache if a task's scratch memory is larger than that.
            const bool near = tasks_.scratch(split) * sum_bytes(entry_) <= machine_.l2;
            const double step = step_ + first_ / tasks_.tiles(split) + (near ? 0 : far_);
            const double shares = as_double(divide_up(blocks_, split.blocks));
            const Estimate counted{steps_ * step + products_ * cycles_of_tile, stores_, staging_ * shares};
            return counted.weighted(core_.microarchitecture);
        }

        // Returns the split of least expected time, whose tasks have `rows` rows of pairs, or any number if this is 0.
        Split best_split(int64_t rows) const {
            const Boxes all{tasks_.y.most, tasks_.z.most,         geometry_.batch, geometry_.channels.groups,
                            blocks_,       Rows::calls(geometry_)};
            return best_boxes(all, rows, machine_.threads,
                              {[this](const Split &split) { return tasks_.scratch(split) * sum_bytes(entry_); },
                               [this](const Split &split) { return estimate(split).total(); }});
        }

    private:
        const Entry &entry_;
        const Geometry &geometry_;
        const Machine &machine_;
        const Core core_;
        const Tasks tasks_;
        const int64_t blocks_;
        double products_;          // that are computed, in tiles
        double steps_;             // of the inner loops of all of them
        double step_;              // cycles of a step that finds all in the caches near the core
        double first_;             // further cycles of a step of the first tile of a task, which fetches a panel
        double far_;               // further cycles of a step whose input comes from beyond the L2 cache
        double stores_, staging_;  // cycles; those of staging are for one share of the output channels
    };

    static Estimate estimate(const Entry &entry, const Geometry &geometry, const Split &split, const Machine &machine) {
        return Work(entry, geometry, machine).estimate(split);
    }

    static Split split(const Entry &entry, const Geometry &geometry, int64_t rows, const Machine &machine) {
        return Work(entry, geometry, machine).best_split(rows);
    }

    static int64_t scratch(const Entry &entry, const Geometry &geometry, const Split &split) {
        return Tasks(entry, geometry).scratch(split);
    }
};

template<typename Rows>
MinimalFilterCost<Rows>::Work::Work(const Entry &entry, const Geometry &geometry, const Machine &machine)
    : entry_(entry), geometry_(geometry), machine_(machine), core_(core_of(entry, machine)), tasks_(entry, geometry),
      blocks_(blocks(entry, geometry)) {
    const Variant &v = entry.variant;
    const auto [groups, inputs, outputs] = geometry.channels;
    const auto &[z, y, x] = geometry.extent;
    const double batch = as_double(geometry.batch), lanes = entry.lanes,
                 elements = tasks_.z.all_elements * tasks_.y.all_elements,
                 products = tasks_.z.all_products * tasks_.y.all_products;

    // A step of a tile's inner loop is the same as in direct sums across channels. All tiles of a task read the weights
    // of a product one after the other, and the first of them has to fetch it from beyond the L2 cache.
    const double m = v.block / lanes, n = v.columns;
    const double weights = as_double(v.block * sum_bytes(entry)),
                 panel = weights * as_double(inputs) * Rows::taps(x) * elements / products;
    const double again = panel <= 0.75 * as_double(machine.l1d) ? 0 : weights / core_.microarchitecture.bytes_from_l2;
    step_ = std::max(cycles_of_step(core_, {m * n, m, n}), again);
    first_ = weights / core_.microarchitecture.bytes_from_beyond;
    far_ = n * as_double(sum_bytes(entry)) / (2 * core_.microarchitecture.bytes_from_beyond);

    const double tiles = batch * as_double(groups * blocks_ * Rows::tiles(v.columns, x));  // of a row
    products_ = tiles * products;
    steps_ = tiles * elements * as_double(inputs) * Rows::taps(x);
    const double sums = m * n * 2 / core_.rates.multiply_adds + 8;  // of the products of a tap
    const double of_outputs = as_double(z.output * y.output) *
                              (cycles_of_store(entry, geometry, core_) + tasks_.z.taps * tasks_.y.taps * sums);
    stores_ = tiles * (products * m * n * (1 / core_.rates.stores + 0.5) + of_outputs);

    // Four vectors are loaded to stage one, unless elements are transposed, which takes a cycle each.
    const double vectors =
        batch * as_double(groups * Rows::slab_columns(entry, x) * inputs) / lanes * calls_along_x(entry, geometry);
    staging_ = vectors * elements * (is_turned(entry) ? lanes : cycles_of_copy(core_, 4));
}

}  // namespace unstride

#endif
