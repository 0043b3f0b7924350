// Direct sums: a kernel adds up the products of each output tap by tap, and input channel by input channel.

#include <algorithm>

#include "kernels/direct_cost.h"

namespace unstride {
namespace {

// What a task of the forward stages, and which taps an output has.
struct GatheredRows {
    // Of 1, 1.04 and 1.08 for columns, 1 loses least on bench/planner/zen3.csv.
    static constexpr double waiting_channels = 1, waiting_columns = 1;
    static constexpr double cycles_of_tap_channels = 0, cycles_of_tap_columns = 0;
    static constexpr double time_of_known = 0.95, tap_of_known = 1;

    static double taps(const Extent &e) {
        return unstride::taps(e);
    }
    static int64_t tiles(int64_t columns, const Extent &x) {
        return tiles_in_phase(columns, x) * std::min(x.axis.stride, x.output);
    }
    static int64_t slab_columns(const Entry &entry, const Extent &x) {
        return slab_width(entry, entry.variant.columns, x);
    }
    static int64_t slab_rows(const Extent &e, int64_t count) {
        return input_rows(e, count);
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
    {},  // panels hold the weights as they are
    {},
    &direct_cost,
    &gpu_cost,
};

}  // namespace unstride
