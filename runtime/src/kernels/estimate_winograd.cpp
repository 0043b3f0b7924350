#include <algorithm>
#include <limits>
#include <vector>

#include "device/machine.h"
#include "kernels/cost_model.h"
#include "kernels/tiles.h"

namespace unstride {
namespace {

// A dimension of a layer in pairs of outputs.
struct Pairs {
    int64_t most, products;  // pairs of the longest phase, products for each pair of the phase that has most
    double all_products;     // of all pairs of all phases
};

Pairs pairs(const Extent &e) {
    Pairs result{0, 0, 0};
    for (const Section &s : phase_sections(e)) {
        const int64_t count = divide_up(s.outputs, 2), products = s.kernel;
        result.most = std::max(result.most, count);
        result.products = std::max(result.products, products);
        result.all_products += as_double(count * products);
    }
    return result;
}

// A layer as one kernel computes it.
class Work {
public:
    Work(const Entry &entry, const Geometry &geometry)
        : entry_(entry), geometry_(geometry), z_(pairs(geometry.extent[0])), y_(pairs(geometry.extent[1])),
          calls_(static_cast<int64_t>(phase_sections(geometry.extent[0]).size() *
                                      phase_sections(geometry.extent[1]).size())) {
    }

    // Elements that a task stages, that it turns to stage them, and that its products take.
    int64_t scratch(const Split &split) const {
        const Variant &v = entry_.variant;
        const Extent &x = geometry_.extent[2];
        const int64_t filters = product({z_.products, y_.products, split.rows, split.slices, split.items});
        const auto inputs = [](const Extent &e, const Pairs &p, int64_t count) {  // that so many pairs read
            return std::min(2 * (count - 1) + p.products, e.input);
        };
        const int64_t turned = product(
            {inputs(geometry_.extent[0], z_, split.slices), inputs(geometry_.extent[1], y_, split.rows), split.items});
        return product({filters, slab_width(v.columns, x), staged_channels(v, geometry_.channels.inputs)}) +
               turned_elements(v, x, turned) +
               product({filters, tiles_in_phase(v.columns, x), v.columns, v.block, v.stride_x});
    }

    Estimate estimate(const Split &split, const Machine &machine) const;
    Split best_split(int64_t rows, const Machine &machine) const;

private:
    const Entry &entry_;
    const Geometry &geometry_;
    const Pairs z_, y_;
    const int64_t calls_;
};

// How much longer the threads take than if they shared all work evenly.
double imbalance(int64_t tasks, int threads) {
    return as_double(divide_up(tasks, threads) * threads) / as_double(tasks);
}

// All, a half of them, a quarter, and so on to one.
std::vector<int64_t> halves(int64_t all) {
    std::vector<int64_t> result;
    for (; all > 1; all = (all + 1) / 2) {
        result.push_back(all);
    }
    result.push_back(1);
    return result;
}

Estimate Work::estimate(const Split &split, const Machine &machine) const {
    const Variant &v = entry_.variant;
    const auto [groups, inputs, outputs] = geometry_.channels;
    const auto &[z, y, x] = geometry_.extent;
    const double batch = as_double(geometry_.batch), lanes = entry_.lanes, filters = z_.all_products * y_.all_products;

    // One step of a tile's inner loop, as for *channels*. A panel is read for all tiles of the task in turn: the first
    // time from beyond the L2 cache. Input comes from there where a task has much of it.
    const double m = v.block / lanes, n = v.columns;
    const double weights = as_double(v.block * sum_bytes(v)), panel = weights * as_double(inputs) * taps(x);
    const double again = panel <= 0.75 * as_double(machine.l1d) ? 0 : weights / 24;
    const double tiles_of_task =
        as_double(product({tiles_in_phase(v.columns, x), split.rows, split.slices, split.items}));
    const bool near = scratch(split) * sum_bytes(v) <= machine.l2;
    const double step = std::max({m * n / 2, (m + n) / 2, 4.0, again}) + weights / 10 / tiles_of_task +
                        (near ? 0 : n * as_double(sum_bytes(v)) / 20);

    const double all_blocks = batch * as_double(groups * blocks(entry_, geometry_));
    const double tiles =
        all_blocks * as_double(tiles_in_phase(v.columns, x) * std::min(x.axis.stride, x.output));  // of a row
    const double multiply_adds = tiles * filters * (as_double(inputs) * taps(x) * step + 35);
    const double sums =
        as_double(z.output * y.output) * (cycles_of_store(entry_, geometry_) + taps(z) * taps(y) * (m * n + 8));

    const double shares = as_double(divide_up(blocks(entry_, geometry_), split.blocks));
    // To stage a vector takes four loads. A pair reads one input more than it has taps, as many as it has products.
    const double vectors = batch * as_double(groups * slab_width(v.columns, x) * inputs) / lanes * shares *
                           calls_along_x(entry_, geometry_);
    return {multiply_adds, tiles * (filters * m * n * 1.5 + sums), vectors * filters * (is_turned(v) ? 8 : 4)};
}

Split Work::best_split(int64_t rows, const Machine &machine) const {
    constexpr int64_t most_bytes = 4 << 20;  // of scratch in a thread, unless the smallest task has more
    constexpr double cycles_of_task = 3000;
    Split best{};
    double least = std::numeric_limits<double>::infinity();
    const auto consider = [&](Split split) {
        const int64_t inner = divide_up(z_.most, split.slices) * divide_up(y_.most, split.rows) *
                              divide_up(blocks(entry_, geometry_), split.blocks);
        const int64_t outer = geometry_.channels.groups * divide_up(std::max<int64_t>(geometry_.batch, 1), split.items);
        const double by_items = imbalance(outer, machine.threads), by_tasks = imbalance(inner, machine.threads);
        split.tasks = geometry_.batch > 0 ? inner * outer * calls_ : 0;
        split.share_items = by_items <= by_tasks;
        const double cycles =
            (estimate(split, machine).total() + as_double(split.tasks) * cycles_of_task) * std::min(by_items, by_tasks);
        if (cycles < least) {
            best = split;
            least = cycles;
        }
    };
    for (int64_t r : rows == 0 ? halves(y_.most) : std::vector<int64_t>{std::min(rows, y_.most)}) {
        const int64_t least_rows = rows == 0 ? 1 : r;
        for (int64_t s : halves(z_.most)) {
            for (int64_t i : halves(std::max<int64_t>(geometry_.batch, 1))) {
                const Split split{r, s, i, 1, 0, false};
                if (scratch(split) * sum_bytes(entry_.variant) > most_bytes && (r > least_rows || s > 1 || i > 1)) {
                    continue;
                }
                for (int64_t b : halves(blocks(entry_, geometry_))) {
                    consider({r, s, i, b, 0, false});
                }
            }
        }
    }
    return best;
}

Estimate estimate(const Entry &entry, const Geometry &geometry, const Split &split, const Machine &machine) {
    return Work(entry, geometry).estimate(split, machine);
}

Split best_split(const Entry &entry, const Geometry &geometry, int64_t rows, const Machine &machine) {
    return Work(entry, geometry).best_split(rows, machine);
}

int64_t scratch_of(const Entry &entry, const Geometry &geometry, const Split &split) {
    return Work(entry, geometry).scratch(split);
}

}  // namespace

const CostModel winograd_cost{estimate, best_split, scratch_of};

bool minimal_filters_pay(const Geometry &geometry) {
    const auto &[z, y, x] = geometry.extent;
    const double inputs = as_double(geometry.channels.inputs), outputs = as_double(geometry.channels.outputs);
    const double blocks = as_double(divide_up(geometry.channels.outputs, 16));
    const double products = pairs(z).all_products * pairs(y).all_products / as_double(z.output * y.output),
                 direct = taps(z) * taps(y);

    // Cycles for a tile of 16 channels by 4 columns in vectors of 8: a step takes 4; to set a product's tile down, and
    // to go on, 47, to add one to an output 16; to stage an element of input takes about one. Direct kernels have tiles
    // for fewer channels, too.
    const double winograd = products * (4 * inputs * taps(x) + 47) + direct * 16 +
                            products * 4.8 * inputs / (blocks * as_double(x.axis.stride));
    return winograd < 0.97 * direct * 4 * inputs * taps(x) * outputs / (16 * blocks);
}

}  // namespace unstride
