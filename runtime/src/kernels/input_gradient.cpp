// Sums of the input gradient: tap by tap, and output channel by output channel of the layer. A kernel's input is the
// gradient of the layer's output, and its output that of the layer's input (reversed()).

#include <algorithm>

#include "kernels/direct_cost.h"

namespace unstride {
namespace {

// Returns whether a kernel stages its input split into phases along the width, as vectors along it need.
bool has_phases(const Entry &entry) {
    return entry.across == Lanes::columns;
}

// What a task stages, and which taps an output has: all of them.
struct ReversedRows {
    // With these, the planner's choices for bench/layers.csv take 1.02 times as long as the fastest kernels on Zen 3,
    // on geometric mean. Columns look up where each tap reads.
    static constexpr double waiting_channels = 1, waiting_columns = 1.08;
    static constexpr double cycles_of_tap_channels = 5, cycles_of_tap_columns = 7.5;
    // What a kernel knows saves time around its steps alone, which is most of it where there is one output channel.
    static constexpr double time_of_known = 1, tap_of_known = 0.3;

    static double taps(const Extent &e) {
        return as_double(e.kernel);
    }
    static int64_t tiles(int64_t columns, const Extent &x) {
        return divide_up(x.output, columns);
    }
    static int64_t slab_columns(const Entry &entry, const Extent &x) {
        if (!has_phases(entry)) {
            return reversed_slab_width(entry.variant.columns, x);
        }
        const int64_t stride = x.axis.stride, columns = tiles(entry.variant.columns, x) * entry.variant.columns,
                      first = -x.axis.padding, last = first + x.axis.dilation * (x.kernel - 1),
                      begin = std::min<int64_t>(divide_down(first, stride), 0),
                      end = std::max(columns + divide_down(last, stride), x.input / stride + 1);
        return multiply(whole_vectors(entry, end - begin), stride);
    }
    static int64_t slab_rows(const Extent &e, int64_t count) {
        return reversed_inputs(e, count);
    }
    static int64_t table_elements(const Entry &entry, const Extent &x) {
        return has_phases(entry) ? 2 * x.kernel : 0;  // position and phase that a tap reads, of at most 32 bits
    }
    static double cycles_of_element(const Entry &entry, const Extent &x) {
        constexpr int64_t most_shuffled = 2;  // strides up to this one are loaded in vectors (schedules/staging.cpp)
        constexpr double split_into_phases = 2;
        if (!has_phases(entry) || x.axis.stride == 1) {
            return 0;
        }
        return x.axis.stride > most_shuffled ? gathered : split_into_phases;
    }
};

// Returns a layer of stride 1 that has as many outputs and taps, of which the model of cost for GPUs knows.
Geometry without_stride(Geometry geometry) {
    for (Extent &e : geometry.extent) {
        e.axis = make_axis(1, e.axis.dilation, e.axis.padding);
    }
    return geometry;
}

Estimate estimate_on_gpu(const Entry &entry, const Geometry &geometry, const Split &split, const Machine &machine) {
    return gpu_cost.estimate(entry, without_stride(geometry), split, machine);
}

Split split_on_gpu(const Entry &entry, const Geometry &geometry, int64_t rows, const Machine &machine) {
    return gpu_cost.split(entry, without_stride(geometry), rows, machine);
}

int64_t scratch_on_gpu(const Entry &entry, const Geometry &geometry, const Split &split) {
    return gpu_cost.scratch_elements(entry, without_stride(geometry), split);
}

constexpr CostModel cost = DirectCost<ReversedRows>::model();
constexpr CostModel cost_on_gpu{estimate_on_gpu, split_on_gpu, scratch_on_gpu};

}  // namespace

extern const SumsRules input_gradient_sums{
    Sums::direct,
    "direct",
    always_pays,
    no_obstacle,
    cut_nothing,
    one_phase,
    1,      // output of a row
    false,  // has blocks of products
    one_set_of_panels,
    {},  // panels hold the weights as they are, with exchanged channels
    {},
    &cost,
    &cost_on_gpu,
};

}  // namespace unstride
