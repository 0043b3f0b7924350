// The model of cost of kernels whose weights are stationary (schedules/stationary.cpp): all tiles of a task add the
// products of a row of taps to their sums, then those of the next.

#include <algorithm>

#include "device/machine.h"
#include "kernels/boxes.h"
#include "kernels/catalog.h"
#include "problem/checked.h"

namespace unstride {
namespace {

// A layer as kernels of the input gradient see it, and the kernel that is to compute it. A task is a box of rows,
// slices and items of the output for some blocks of channels. It stages whole rows of input, and keeps its sums.
class StationaryWork {
public:
    StationaryWork(const Entry &entry, const Geometry &geometry, const Machine &machine);

    // Returns the elements of scratch memory that a task takes.
    int64_t scratch(const Split &split) const;

    // Returns the expected time with a split.
    Estimate estimate(const Split &split) const;

    // Returns the split of least expected time, whose tasks have `rows` rows, or any number if this is 0.
    Split best_split(int64_t rows) const;

private:
    int64_t staged_rows(const Split &split) const {
        return product({reversed_inputs(z_, split.slices), reversed_inputs(y_, split.rows), split.items});
    }
    static int64_t rows(const Split &split) {
        return product({split.rows, split.slices, split.items});
    }

    const Entry &entry_;
    const Geometry &geometry_;
    const Machine &machine_;
    const Core core_;
    const Extent &z_, &y_, &x_;
    const int64_t tiles_;         // of a row
    const int64_t slab_columns_;  // of a row that is staged
    const int64_t blocks_;
    const double weights_;  // bytes that a step reads
};

StationaryWork::StationaryWork(const Entry &entry, const Geometry &geometry, const Machine &machine)
    : entry_(entry), geometry_(geometry), machine_(machine), core_(core_of(entry, machine)), z_(geometry.extent[0]),
      y_(geometry.extent[1]), x_(geometry.extent[2]), tiles_(divide_up(x_.output, entry.variant.columns)),
      slab_columns_(reversed_slab_width(entry.variant.columns, x_)), blocks_(blocks(entry, geometry)),
      weights_(as_double(entry.variant.block * sum_bytes(entry))) {
}

int64_t StationaryWork::scratch(const Split &split) const {
    const int64_t staged =
                      product({slab_columns_, staged_channels(entry_, geometry_.channels.inputs), staged_rows(split)}),
                  sums = product({tiles_, entry_.variant.columns, entry_.variant.block, rows(split)});
    return add(add(staged, sums), turned_elements(entry_, x_, reversed_inputs(y_, split.rows)));
}

Estimate StationaryWork::estimate(const Split &split) const {
    // `cycles_of_pass` and the part of the cycles for inputs from beyond the caches that a step waits for are those of
    // a grid with which the planner's choices lose least on Zen 3 (input_gradient.cpp, which has the cycles of a tap,
    // too).
    constexpr double cycles_of_pass = 5, cycles_of_tap = 5, part_not_hidden = 0.04;
    const Variant &v = entry_.variant;
    const double m = as_double(v.block) / entry_.lanes, n = as_double(v.columns);
    const double inputs = as_double(geometry_.channels.inputs), groups = as_double(geometry_.channels.groups),
                 passes = as_double(y_.kernel * z_.kernel), steps = inputs * as_double(x_.kernel) * passes;
    const double tasks_of_positions = as_double(divide_up(z_.output, split.slices) * divide_up(y_.output, split.rows) *
                                                divide_up(std::max<int64_t>(geometry_.batch, 1), split.items)) *
                                      groups,
                 tiles = as_double(product({geometry_.batch, z_.output, y_.output, tiles_, blocks_})) * groups;

    // The weights of a row of taps come from the L2 cache where they do not fit the one before it. The first tile of a
    // task fetches them from beyond.
    const Microarchitecture &core = core_.microarchitecture;
    const double row_of_taps = weights_ * inputs * as_double(x_.kernel);
    const double again = row_of_taps <= 0.75 * as_double(machine_.l1d) ? 0 : weights_ / core.bytes_from_l2;
    const bool near = scratch(split) * sum_bytes(entry_) <= machine_.l2;
    const double far = near ? 0 : part_not_hidden * n * as_double(sum_bytes(entry_)) / core.bytes_from_beyond;
    const double step = std::max({cycles_of_step(core_, {m * n, m, n}), again, core.latency}) + far;
    const double sums = m * n * (1 / core_.rates.stores + 1 / core_.rates.loads) + cycles_of_pass;
    const double fetching = tasks_of_positions * as_double(blocks_) * steps * weights_ / core.bytes_from_beyond;

    const double elements = as_double(product({slab_columns_, geometry_.channels.inputs, staged_rows(split)})) *
                            tasks_of_positions * as_double(divide_up(blocks_, split.blocks));
    const double of_element = is_turned(entry_) ? transposed : cycles_of_copy(core_, 1) / entry_.lanes;
    const Estimate counted{tiles * (steps * step + passes * (sums + cycles_of_tap * as_double(x_.kernel))) + fetching,
                           tiles * cycles_of_store(entry_, geometry_, core_), elements * of_element};
    return counted.weighted(core);
}

Split StationaryWork::best_split(int64_t rows) const {
    const Boxes all{y_.output, z_.output, geometry_.batch, geometry_.channels.groups, blocks_, 1};
    return best_boxes(all, rows, machine_.threads,
                      {[this](const Split &split) { return scratch(split) * sum_bytes(entry_); },
                       [this](const Split &split) { return estimate(split).total(); }});
}

Estimate estimate_stationary(const Entry &entry, const Geometry &geometry, const Split &split, const Machine &machine) {
    return StationaryWork(entry, geometry, machine).estimate(split);
}

Split split_stationary(const Entry &entry, const Geometry &geometry, int64_t rows, const Machine &machine) {
    return StationaryWork(entry, geometry, machine).best_split(rows);
}

int64_t scratch_of_stationary(const Entry &entry, const Geometry &geometry, const Split &split) {
    return StationaryWork(entry, geometry, Machine{}).scratch(split);
}

}  // namespace

const CostModel stationary_cost{estimate_stationary, split_stationary, scratch_of_stationary};

}  // namespace unstride
