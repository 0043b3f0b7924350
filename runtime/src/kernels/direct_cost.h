#ifndef UNSTRIDE_RUNTIME_KERNELS_DIRECT_COST_H
#define UNSTRIDE_RUNTIME_KERNELS_DIRECT_COST_H

#include <algorithm>

#include "device/machine.h"
#include "kernels/boxes.h"
#include "kernels/catalog.h"
#include "problem/checked.h"

namespace unstride {

// The model of cost of kernels that sum tap by tap on a CPU. `Rows` has what operators differ in: how many taps an
// output has on average, how many tiles all phases of a row of outputs take, what a task stages for its rows, what it
// keeps of the taps along the width, the cycles of an element that is not copied in whole vectors (else 0), and how
// much longer tiles across channels or columns take: of a step that has nothing but its sums to wait for, in parts of
// their latency, and of a tap, in cycles. Kernels that know kernel size and stride take a part of the time, and of the
// cycles of a tap.
template<typename Rows>
class DirectCost {
public:
    static constexpr CostModel model() {
        return {estimate, split, scratch};
    }

private:
    // Returns the time of a kernel in parts of that of a kernel for any layer with the same tile. With avx2 on an AMD
    // EPYC, those of the forward that know kernel and stride took 0.9 to 0.98 for most layers, and 0.75 to 0.89 for
    // depthwise ones; those for one layer a little less.
    static double time_by_knowledge(const Variant &variant) {
        if (variant.layer) {
            return 0.93;
        }
        return variant.known_kernel != 0 ? Rows::time_of_known : 1;
    }

    // Returns how many elements the slab has, the padded input that a task reads.
    static int64_t slab_elements(const Entry &entry, const Geometry &geometry, const TaskBox &box) {
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
        return product(
            {Rows::slab_columns(entry, x), channels, Rows::slab_rows(y, box.rows), Rows::slab_rows(z, box.slices)});
    }

    // Returns how many elements of scratch memory a task takes.
    static int64_t scratch_elements(const Entry &entry, const Geometry &geometry, const TaskBox &box) {
        const auto &[z, y, x] = geometry.extent;
        const int64_t turned = turned_elements(entry, x, Rows::slab_rows(y, box.rows));
        return add(slab_elements(entry, geometry, box), add(turned, Rows::table_elements(entry, x)));
    }

    // Returns the cycles that it takes to stage the input of an average output row once. Vectors are copied; or
    // transposed; or, where their columns lie apart in memory, gathered element by element. In ncdhw, each channel of a
    // slice is a run of memory of its own.
    static double cycles_of_staging(const Entry &entry, const Geometry &geometry, const TaskBox &box,
                                    const Core &core) {
        constexpr double cycles_of_run = 50;
        const auto &[z, y, x] = geometry.extent;
        const double apart = Rows::cycles_of_element(entry, x),
                     whole = apart > 0 ? apart : cycles_of_copy(core, 1) / entry.lanes,
                     of_element = is_turned(entry) ? transposed : whole;
        const double elements = as_double(slab_elements(entry, geometry, box)),
                     run = as_double(multiply(Rows::slab_rows(y, box.rows), Rows::slab_columns(entry, x))),
                     runs = entry.variant.layout == Layout::ncdhw ? elements / run : 0;
        return (elements * of_element + runs * cycles_of_run) / as_double(box.rows * box.slices);
    }

    // Returns the cycles that it takes, for an average output row, to read the slab anew for each further block of
    // output channels, from beyond the L2 cache if the outputs of the block before have driven it out of there: it
    // would not fit half of the cache together with them.
    static double cycles_of_rereading(const Entry &entry, const Geometry &geometry, const TaskBox &box,
                                      int64_t blocks_per_task, const Machine &machine) {
        const int64_t slab = slab_elements(entry, geometry, box),
                      outputs = product({box.rows, box.slices, geometry.extent[2].output, entry.variant.block});
        if (entry.facts->inputs == Inputs::own || add(slab, outputs) * sum_bytes(entry) <= slab_limit(machine)) {
            return 0;
        }
        const double bytes = as_double(slab * sum_bytes(entry) * (blocks_per_task - 1));
        return bytes / core_of(entry, machine).microarchitecture.bytes_from_beyond / as_double(box.rows * box.slices);
    }

    // Returns the tasks of a call if each computes a box.
    static int64_t tasks(const Entry &entry, const Geometry &geometry, int64_t blocks_per_task, const TaskBox &box) {
        const auto &[z, y, x] = geometry.extent;
        return product({geometry.batch, entry.rules->channels_seen(geometry.channels).groups,
                        divide_up(blocks(entry, geometry), blocks_per_task), divide_up(z.output, box.slices),
                        divide_up(y.output, box.rows)});
    }

    // Returns the box of a task that stages least, with `rows` rows, or any number if this is 0. Slices share what they
    // read, as rows do. Scratch memory is at most slab_limit(), about half of the L2 cache, so that it stays there
    // while the task reads it; and there are `least_tasks` or more, which keep all threads busy to the end.
    static TaskBox box_of_task(const Entry &entry, const Geometry &geometry, int64_t rows, int64_t blocks_per_task,
                               int64_t least_tasks, const Machine &machine) {
        const auto &[z, y, x] = geometry.extent;
        const Core core = core_of(entry, machine);
        const int64_t limit = slab_limit(machine) / sum_bytes(entry);
        const auto fits = [&](const TaskBox &box) {
            return scratch_elements(entry, geometry, box) <= limit &&
                   tasks(entry, geometry, blocks_per_task, box) >= least_tasks;
        };
        const auto cost = [&](const TaskBox &box) {
            return cycles_of_staging(entry, geometry, box, core) +
                   cycles_of_rereading(entry, geometry, box, blocks_per_task, machine);
        };
        return best_box({y.output, z.output}, rows, fits, cost);
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
        const double staging =
            cycles_of_staging(entry, geometry, box_of_task(entry, geometry, 0, all, 1, machine), core);
        const double reading = of_row / core.microarchitecture.bytes_from_beyond;
        return as_double(shares - 1) * staging < reading ? divide_up(all, shares) : all;
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
            const bool in_l2 = slab_elements(entry, geometry, {1, 1}) * sum_bytes(entry) <= machine.l2;
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
        const double staging = copies * cycles_of_staging(entry, geometry, {split.rows, split.slices}, core);
        const double known = time_by_knowledge(v);
        const double of_tap = (across_channels ? Rows::cycles_of_tap_channels : Rows::cycles_of_tap_columns) *
                              (v.known_kernel != 0 ? Rows::tap_of_known : 1);
        const Estimate counted{tiles * taps * (as_double(inputs) * step + of_tap) * known,
                               tiles * cycles_of_store(entry, geometry, core) * known, staging};
        return counted.weighted(core.microarchitecture);
    }

    static Split split(const Entry &entry, const Geometry &geometry, int64_t rows, const Machine &machine) {
        constexpr int64_t tasks_of_thread = 8;
        const bool share_items = entry.autoscheduled || has_many_items(entry, geometry, machine);
        const int64_t of_task = blocks_per_task(entry, geometry, machine);
        const TaskBox box = box_of_task(entry, geometry, rows, of_task, tasks_of_thread * machine.threads, machine);
        return {box.rows, box.slices, 1, of_task, tasks(entry, geometry, of_task, box), share_items};
    }

    static int64_t scratch(const Entry &entry, const Geometry &geometry, const Split &split) {
        return scratch_elements(entry, geometry, {split.rows, split.slices});
    }
};

}  // namespace unstride

#endif
