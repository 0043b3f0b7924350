// Direct sums: a kernel adds up the products of each output tap by tap, and input channel by input channel.

#include <algorithm>

#include "kernels/direct_cost.h"

namespace unstride {
namespace {

// What a task of the forward stages, and which taps an output has.
struct GatheredRows {
    // On Zen 3, columns 4x16 took 1.08 to 1.23 times as long as 6x16 on six layers. Of 1, 1.08 and 1.15, the second
    // loses least on bench/planner/zen3.csv.
    static constexpr double waiting_channels = 1, waiting_columns = 1.08;
    static constexpr double cycles_of_tap_channels = 0, cycles_of_tap_columns = 0;

    static double taps(const Extent &e) {
        return unstride::taps(e);
    }
    static int64_t tiles(int64_t columns, const Extent &x) {
        return tiles_in_phase(columns, x) * std::min(x.axis.stride, x.output);
    }
    static int64_t slab_columns(const Entry &entry, const Extent &x) {
        return slab_width(entry.variant.columns, x);
    }
    static int64_t slab_rows(const Extent &y, int64_t rows) {
        return input_rows(y, rows);
    }
    static int64_t slab_slices(const Extent &z) {
        return z.axis.most_taps(z.kernel);
    }
    static int64_t table_elements(const Entry & /*entry*/, const Extent & /*x*/) {
        return 0;
    }
    static double cycles_of_element(const Entry &entry, const Extent & /*x*/) {
        return entry.variant.layout == Layout::ndhwc && entry.across != Lanes::channels ? gathered : 0;
    }
};

}  // namespace

const CostModel direct_cost = DirectCost<GatheredRows>::model();

extern const SumsRules direct_sums{
    Sums::direct,
    "direct",
    always_pays,
    no_obstacle,
    cut_nothing,
    cut_width,
    1,      // output of a row
    false,  // has blocks of products
    one_set_of_panels,
    nullptr,  // panels hold the weights as they are
    nullptr,
    &direct_cost,
    &gpu_cost,
};

}  // namespace unstride
