#include "estimate_winograd.h"

#include <algorithm>
#include <vector>

#include "machine.h"
#include "tiles.h"

namespace unstride {
namespace {

// A dimension of a layer in pairs of outputs.
struct Pairs {
    int64_t most, products;                // pairs of the longest phase, products for each pair of the phase that has most
    double all, all_products, all_inputs;  // pairs of all phases; times products; times products and the terms of their inputs
};

Pairs pairs(const Extent &e) {
    Pairs result{0, 0, 0, 0, 0};
    for (const Section &s : phase_sections(e)) {
        const int64_t count = divide_up(s.outputs, 2), products = s.kernel;
        const double terms[] = {2, 5, 8};  // of 1, 2 and 3 taps
        result.most = std::max(result.most, count);
        result.products = std::max(result.products, products);
        result.all += as_double(count);
        result.all_products += as_double(count * products);
        result.all_inputs += as_double(count) * terms[std::clamp<int64_t>(products - 2, 0, 2)];
    }
    return result;
}

// Floats that a task stages, and that its products take.
struct Scratch {
    int64_t slab, products;
};

Scratch scratch(const Entry &entry, const Geometry &geometry, const Split &split) {
    const Variant &v = entry.variant;
    const auto &[z, y, x] = geometry.extent;
    const int64_t filters = product({pairs(z).products, pairs(y).products, split.rows, split.slices, split.items});
    return {product({filters, slab_width(v.columns, x), geometry.channels.inputs}),
            product({filters, tiles_in_phase(v.columns, x), v.columns, v.block, v.stride_x})};
}

int64_t tasks_of_item(const Entry &entry, const Geometry &geometry, const Split &split) {
    const auto &[z, y, x] = geometry.extent;
    const int64_t boxes = divide_up(pairs(z).most, split.slices) * divide_up(pairs(y).most, split.rows);
    return boxes * divide_up(blocks(entry, geometry), split.blocks);
}

int64_t items(const Geometry &geometry, const Split &split) {
    return geometry.channels.groups * divide_up(geometry.batch, split.items);
}

// How much longer the threads take than if they shared all work evenly.
double imbalance(int64_t tasks, int threads) {
    return as_double(divide_up(tasks, threads) * threads) / as_double(tasks);
}

}  // namespace

bool minimal_filters_pay(const Geometry &geometry) {
    const auto &[z, y, x] = geometry.extent;
    const double inputs = as_double(geometry.channels.inputs), outputs = as_double(geometry.channels.outputs);
    const double blocks = as_double(divide_up(geometry.channels.outputs, 16));
    const double products = pairs(z).all_products * pairs(y).all_products / as_double(z.output * y.output), direct = taps(z) * taps(y);

    // Cycles for a tile of 16 channels by 4 columns in vectors of 8: a step takes 4; to set a product's tile down, and to go on, 47, to
    // add one to an output 16; to stage an element of input takes about one. Direct kernels have tiles for fewer channels, too.
    const double winograd = products * (4 * inputs * taps(x) + 47) + direct * 16 + products * 4.8 * inputs / (blocks * as_double(x.axis.stride));
    return winograd < 0.97 * direct * 4 * inputs * taps(x) * outputs / (16 * blocks);
}

Estimate estimate_winograd(const Entry &entry, const Geometry &geometry, const Split &split) {
    const Variant &v = entry.variant;
    const auto [groups, inputs, outputs] = geometry.channels;
    const auto &[z, y, x] = geometry.extent;
    const Pairs pz = pairs(z), py = pairs(y);
    const Machine &machine = this_machine();

    // One step of a tile's inner loop, as for *channels*. A panel is read for all tiles of the task in turn: the first time from beyond the L2 cache.
    const double m = as_double(v.block) / entry.lanes, n = v.columns;
    const double weights = as_double(v.block * sizeof(float)), panel = weights * as_double(inputs) * taps(x);
    const double again = panel <= 0.75 * as_double(machine.l1d) ? 0 : weights / 24;
    const double tiles_of_task = as_double(product({tiles_in_phase(v.columns, x), split.rows, split.slices, split.items}));
    const Scratch floats = scratch(entry, geometry, split);
    const bool near = (floats.slab + floats.products) * static_cast<int64_t>(sizeof(float)) <= machine.l2;
    const double step = std::max({m * n / 2, (m + n) / 2, 4.0, again}) + weights / 10 / tiles_of_task + (near ? 0 : n * sizeof(float) / 20);

    const double all_blocks = as_double(geometry.batch * groups * blocks(entry, geometry));
    const double tiles = all_blocks * as_double(tiles_in_phase(v.columns, x) * std::min(x.axis.stride, x.output));  // of a row
    const double products = tiles * pz.all_products * py.all_products;
    const double rows = as_double(z.output * y.output);
    const double multiply_adds = products * (as_double(inputs) * taps(x) * step + 35);
    const double stores = products * m * n * 1.5 + tiles * rows * (cycles_of_store(entry) + taps(z) * taps(y) * (m * n + 8));

    const double shares = as_double(divide_up(blocks(entry, geometry), split.blocks));
    const double vectors = as_double(geometry.batch * groups * slab_width(v.columns, x) * inputs) / entry.lanes * shares * calls_along_x(entry, geometry);
    const double staging = vectors * (2 * pz.all_products * py.all_products + 2 * pz.all_inputs * py.all_inputs);
    return {multiply_adds, stores, staging};
}

Split split_winograd(const Entry &entry, const Geometry &geometry, int64_t rows, int threads) {
    constexpr int64_t most_floats = 1 << 20;  // of scratch in a thread, unless a single row has more
    constexpr double cycles_of_task = 3000;
    const auto halves = [](int64_t all) {
        std::vector<int64_t> result;
        for (; all > 1; all = (all + 1) / 2) {
            result.push_back(all);
        }
        result.push_back(1);
        return result;
    };
    const Pairs pz = pairs(geometry.extent[0]), py = pairs(geometry.extent[1]);
    const auto calls = static_cast<int64_t>(phase_sections(geometry.extent[0]).size() * phase_sections(geometry.extent[1]).size());
    Split best{};
    double least = 0;
    for (int64_t r : rows == 0 ? halves(py.most) : std::vector<int64_t>{std::min(rows, py.most)}) {
        for (int64_t s : halves(pz.most)) {
            for (int64_t i : halves(std::max<int64_t>(geometry.batch, 1))) {
                for (int64_t b : halves(blocks(entry, geometry))) {
                    Split candidate{r, s, i, b, 0, false};
                    const Scratch floats = scratch(entry, geometry, candidate);
                    if (floats.slab + floats.products > most_floats && r * s * i > 1 && !(rows != 0 && s * i == 1)) {
                        continue;
                    }
                    const int64_t inner = tasks_of_item(entry, geometry, candidate), outer = items(geometry, candidate);
                    const double by_items = imbalance(outer, threads), by_tasks = imbalance(inner, threads);
                    candidate.tasks = inner * outer * calls;
                    candidate.share_items = by_items <= by_tasks;
                    const double cycles = (estimate_winograd(entry, geometry, candidate).total() + as_double(candidate.tasks) * cycles_of_task) * std::min(by_items, by_tasks);
                    if (least == 0 || cycles < least) {
                        best = candidate;
                        least = cycles;
                    }
                }
            }
        }
    }
    return best;
}

int64_t scratch_floats_winograd(const Entry &entry, const Geometry &geometry, const Split &split) {
    const Scratch floats = scratch(entry, geometry, split);
    return floats.slab + floats.products;
}

}  // namespace unstride
