#ifndef UNSTRIDE_RUNTIME_KERNELS_DIRECT_COST_H
#define UNSTRIDE_RUNTIME_KERNELS_DIRECT_COST_H

#include <algorithm>

#include "device/machine.h"
#include "kernels/catalog.h"
#include "problem/checked.h"

namespace unstride {

// The model of cost of kernels that sum tap by tap on a CPU. `Rows` has what operators differ in: how many taps an
// output has on average, how many tiles all phases of a row of outputs take, what a task stages for its rows, what it
// keeps of the taps along the width, the cycles of an element that is not copied in whole vectors (else 0), and how
// much longer tiles across channels or columns take: of a step that has nothing but its sums to wait for, in parts of
// their latency, and of a tap, in cycles.
template<typename Rows>
class DirectCost {
public:
    static constexpr CostModel model() {
        return {estimate, split, scratch};
    }

private:
    // Returns the time of a kernel in parts of that of a kernel for any layer with the same tile. With avx2 on an AMD
    // EPYC, those that know kernel and stride took 0.9 to 0.98 for most layers, and 0.75 to 0.89 for depthwise ones;
    // those for one layer a little less.
    static double time_by_knowledge(const Variant &variant) {
        if (variant.layer) {
            return 0.93;
        }
        return variant.known_kernel != 0 ? 0.95 : 1;
    }

    // Returns how many elements the slab has, the padded input that a task of `rows` output rows reads.
    static int64_t slab_elements(const Entry &entry, const Geometry &geometry, int64_t rows) {
        const auto &[z, y, x] = geometry.extent;
        const auto [groups, inputs, outputs] = entry.rules->channels_seen(geometry.channels);
        const Variant &v = entry.variant;
        if (reads_in_place(*entry.facts)) {
            return 0;
        }
        int64_t channels = staged_channels(entry, inputs);
        if (entry.facts->inputs == Inputs::own) {
            const int64_t block = entry.across == Lanes::channels ? std::max(v.block, entry.lanes) : v.block;
            channels = divide_up(outputs, block) * block;
        }
        return product({Rows::slab_columns(entry, x), channels, Rows::slab_rows(y, rows), Rows::slab_slices(z)});
    }

    // Returns how many elements of scratch memory a task of `rows` output rows takes.
    static int64_t scratch_elements(const Entry &entry, const Geometry &geometry, int64_t rows) {
        const auto &[z, y, x] = geometry.extent;
        const int64_t turned = Rows::slab_rows(y, rows) * Rows::slab_rows(z, 1);
        return add(slab_elements(entry, geometry, rows),
                   add(turned_elements(entry, x, turned), Rows::table_elements(entry, x)));
    }

    // Returns for how many output rows of a slice a task stages one slab. The height is halved until the scratch memory
    // of a task is at most slab_limit(), about half of the L2 cache, so that it stays there while the task reads it;
    // but there is at least one row.
    static int64_t rows_of_slab(const Entry &entry, const Geometry &geometry, const Machine &machine) {
        int64_t rows = geometry.extent[1].output;
        while (rows > 1 && scratch_elements(entry, geometry, rows) * sum_bytes(entry) > slab_limit(machine)) {
            rows = (rows + 1) / 2;
        }
        return rows;
    }

    // Returns the cycles that it takes to stage the input of an average output row once, in tasks of `rows` rows.
    // Vectors are copied; or transposed; or, where their columns lie apart in memory, gathered element by element.
    static double cycles_of_staging(const Entry &entry, const Geometry &geometry, int64_t rows, const Core &core) {
        const double apart = Rows::cycles_of_element(entry, geometry.extent[2]),
                     whole = apart > 0 ? apart : cycles_of_copy(core, 1) / entry.lanes,
                     of_element = is_turned(entry) ? transposed : whole;
        return as_double(slab_elements(entry, geometry, rows)) / as_double(rows) * of_element;
    }

    // Returns how many blocks of output channels share the input that a task stages. These are all blocks, unless fewer
    // are better: their panels of weights would stay in the L2 cache from task to task, and to stage the input more
    // often would take less time than to read all panels anew for each row.
    static int64_t blocks_per_task(const Entry &entry, const Geometry &geometry, const Machine &machine) {
        const auto &[z, y, x] = geometry.extent;
        const int64_t all = blocks(entry, geometry);
        const double panels =
            as_double(entry.rules->channels_seen(geometry.channels).inputs * entry.variant.block * sum_bytes(entry));
        const double of_block = panels * as_double(x.kernel * y.kernel * z.kernel),
                     of_row = panels * as_double(all * x.kernel) * Rows::taps(y) * Rows::taps(z);
        const auto fitting = static_cast<int64_t>(as_double(machine.l2) / of_block);
        if (fitting == 0 || fitting >= all) {
            return all;
        }
        const int64_t shares = divide_up(all, fitting);
        const Core core = core_of(entry, machine);
        const double staging = cycles_of_staging(entry, geometry, rows_of_slab(entry, geometry, machine), core);
        const double reading = of_row / core.microarchitecture.bytes_from_beyond;
        return as_double(shares - 1) * staging < reading ? divide_up(all, shares) : all;
    }

    // Returns the number of pieces that are cut into tasks along the height: slices of the output, times the shares of
    // output channels that are computed in tasks of their own.
    static int64_t slices(const Entry &entry, const Geometry &geometry, const Machine &machine) {
        const int64_t shares = divide_up(blocks(entry, geometry), blocks_per_task(entry, geometry, machine));
        return geometry.batch * entry.rules->channels_seen(geometry.channels).groups * shares *
               geometry.extent[0].output;
    }

    // Returns the output rows of a task: as many as one slab serves, or fewer so that each thread has about eight
    // tasks, which keep all threads busy to the end.
    static int64_t rows_per_task(const Entry &entry, const Geometry &geometry, const Machine &machine) {
        const int64_t balanced =
            slices(entry, geometry, machine) * geometry.extent[1].output / (int64_t{8} * machine.threads);
        int64_t rows = rows_of_slab(entry, geometry, machine);
        while (rows > 1 && rows > balanced) {
            rows = (rows + 1) / 2;
        }
        return rows;
    }

    // Returns the cycles that it takes to fetch what the vectors of a step are: weights in a tile across channels, if
    // they come from beyond the L1 cache, and inputs in one across columns, if not even the slab of a row fits the L2
    // cache; else 0.
    static double cycles_of_memory(const Entry &entry, const Geometry &geometry, const Machine &machine,
                                   const Core &core) {
        if (entry.facts->inputs == Inputs::own) {
            return 0;
        }
        if (entry.across != Lanes::channels) {
            const bool in_l2 = slab_elements(entry, geometry, 1) * sum_bytes(entry) <= machine.l2;
            return in_l2
                       ? 0
                       : as_double(entry.variant.columns * sum_bytes(entry)) / core.microarchitecture.bytes_from_beyond;
        }
        const auto &[z, y, x] = geometry.extent;
        // A tile reads the panels of its phase from end to end, of at least one tap: tiles of phases without taps read
        // none. A task reads those of all phases of the height and the width, and reads them again for each row.
        const auto taps = [](const Extent &e) { return std::max(1.0, Rows::taps(e)); };
        const double weights = as_double(entry.variant.block * sum_bytes(entry)),
                     panel = as_double(entry.rules->channels_seen(geometry.channels).inputs) * weights * taps(z);
        if (panel * taps(y) * taps(x) <= 0.75 * as_double(machine.l1d)) {
            return 0;
        }
        const bool in_l2 = panel * as_double(y.kernel * x.kernel) <= as_double(machine.l2);
        return weights / (in_l2 ? core.microarchitecture.bytes_from_l2 : core.microarchitecture.bytes_from_beyond);
    }

    static Estimate estimate(const Entry &entry, const Geometry &geometry, const Split &split, const Machine &machine) {
        const Variant &v = entry.variant;
        const auto [groups, inputs, outputs] = entry.rules->channels_seen(geometry.channels);
        const auto &[z, y, x] = geometry.extent;
        const bool across_channels = entry.across == Lanes::channels;

        // A step of a tile's inner loop is one input channel of one tap.
        const double m = as_double(across_channels ? v.block : v.columns) / entry.lanes;  // vectors
        const double n = across_channels ? v.columns : v.block;  // numbers that each vector is multiplied by
        const double load = across_channels ? 1 : unaligned_load(entry);
        Step of_tile{m * n, m * load, n};
        if (entry.facts->inputs == Inputs::own) {
            of_tile = across_channels ? Step{m * n, m * n + m, 0} : Step{m * n, m * n * load, n};
        }
        const Core core = core_of(entry, machine);
        // Loads that straddle cache lines take longer. A tile which has no more sums than the latency asks for has
        // nothing to do meanwhile.
        const double waiting =
            core.microarchitecture.latency * (across_channels ? Rows::waiting_channels : Rows::waiting_columns);
        const double step =
            std::max({cycles_of_step(core, of_tile), waiting, cycles_of_memory(entry, geometry, machine, core)});

        const double rows = as_double(product({geometry.batch, z.output, y.output}));
        const double tiles = rows * as_double(groups * blocks(entry, geometry)) * as_double(Rows::tiles(v.columns, x));
        const double taps = Rows::taps(x) * Rows::taps(y) * Rows::taps(z);

        // The slab is copied once for each task and each call.
        const double copies = rows * calls_along_x(entry, geometry) *
                              as_double(groups * divide_up(blocks(entry, geometry), split.blocks));
        const double staging = copies * cycles_of_staging(entry, geometry, split.rows, core);
        const double known = time_by_knowledge(v);
        const double of_tap = across_channels ? Rows::cycles_of_tap_channels : Rows::cycles_of_tap_columns;
        const Estimate counted{tiles * taps * (as_double(inputs) * step + of_tap) * known,
                               tiles * cycles_of_store(entry, geometry, core) * known, staging};
        return counted.weighted(core.microarchitecture);
    }

    static Split split(const Entry &entry, const Geometry &geometry, int64_t rows, const Machine &machine) {
        const int64_t height = geometry.extent[1].output;
        rows = rows == 0 ? rows_per_task(entry, geometry, machine) : std::min(rows, height);
        const bool share_items = entry.autoscheduled || has_many_items(entry, geometry, machine);
        return {rows,
                1,
                1,
                blocks_per_task(entry, geometry, machine),
                slices(entry, geometry, machine) * divide_up(height, rows),
                share_items};
    }

    static int64_t scratch(const Entry &entry, const Geometry &geometry, const Split &split) {
        return scratch_elements(entry, geometry, split.rows);
    }
};

}  // namespace unstride

#endif
