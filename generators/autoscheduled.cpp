#include <vector>

#include "formula.h"
#include "kernel.h"

namespace unstride {
namespace {

using namespace Halide;

// The operator in the form that autoschedulers get (bench/experiments.py), which schedule all of its stages. The layer
// is known, sizes and batch included. Channels come first where they are dense, as autoschedulers take the first
// dimension for the dense one. Nothing follows the sum: Mullapudi2016 fails where there is a branch.
class AutoscheduledTransposedConvolution : public Generator<AutoscheduledTransposedConvolution> {
public:
    Kernel kernel{*this};
    // The code may know the numbers of the layer, or the autoscheduler alone, as estimates.
    GeneratorParam<bool> estimates_only{"estimates_only", false};
    // The input may be read where it is, as hand-written schedules of a GPU do, or staged.
    GeneratorParam<bool> in_place{"in_place", false};

    void configure() {
        kernel.set_types();
    }

    void generate() {
        Kernel &k = kernel;
        k.channels_first = k.layout == Layout::ndhwc;
        k.estimates_only = estimates_only;
        k.all_regions = true;
        Stages stages = k.stages();
        stages.in_place = in_place;
        stages.one_tap_apart = false;

        const Expr existing = k.is_depthwise() ? min(likely(c), k.input_extent(channel) - 1) : Expr(c);
        const Expr input = k.channels_first ? k.input(existing, x, y, z, g, n) : k.input(x, y, z, existing, g, n);
        Func source("source"), phases("phases");
        source(x, y, z, c, g, n) = k.load(input);
        stages.source = source;
        recipe_of(k.family, stages.gpu).sum(k, stages);
        phases(c, q, rx, y, z, g, n) = stages.sum(c, q, rx, y, z, g, n);

        const int s = k.interleave;
        const Expr value = k.store(phases(c, x / s, p + x % s, y, z, g, n));
        add_requirement(k.formula == static_cast<int>(Formula::none) && !k.has_residual,
                        "this kernel computes no activation and adds no residual");
        if (k.channels_first) {
            k.output(c, x, p, y, z, g, n) = value;
        } else {
            k.output(x, p, y, z, c, g, n) = value;
        }
    }

    void schedule() {
        kernel.set_bounds();
        set_estimates();
    }

private:
    // An array's extents, as estimates or as what they are. `dim` gives the array's dimension of a number.
    template<typename Dim>
    void estimate(const Dim &dim, const std::vector<int> &extents) {
        for (size_t d = 0; d < extents.size(); d++) {
            Internal::Dimension dimension = dim(static_cast<int>(d));
            if (!estimates_only) {
                dimension.set_bounds(0, extents[d]);
            }
            dimension.set_estimate(0, extents[d]);
        }
    }

    void set_estimates() {
        Kernel &k = kernel;
        const KnownAxis &X = k.known_axes[0], &Y = k.known_axes[1], &Z = k.known_axes[2];
        const int channels = k.is_depthwise() ? k.known_outputs : k.known_inputs;
        const int phases = k.interleave == 1 ? int(X.stride) : 1, positions = (X.output + phases - 1) / phases;
        const std::vector<int> input = {X.input, Y.input, Z.input, channels, k.known_groups, k.known_batch};
        const std::vector<int> weight = {k.block,  k.known_inputs, X.kernel,      Y.kernel,
                                         Z.kernel, k.panels(),     k.known_groups};
        const std::vector<int> output = {positions,       phases,         Y.output,     Z.output,
                                         k.known_outputs, k.known_groups, k.known_batch};
        estimate([&](int d) { return k.input_dim(d); }, input);
        estimate([&](int d) { return k.weight.dim(d); }, weight);
        estimate([&](int d) { return k.bias.dim(d); }, {k.panels() * k.block, k.known_groups, 3});
        estimate([&](int d) { return k.output_dim(d); }, output);
        estimate([&](int d) { return k.residual_dim(d); }, output);
        for (int d = 0; d < 3; d++) {
            const KnownAxis &layer = k.known_axes[d];
            const Axis<int64_t> a = make_axis(layer.stride, layer.dilation, layer.padding);
            k.padding[d].set_estimate(static_cast<int>(a.padding));
            k.dilation[d].set_estimate(static_cast<int>(a.dilation));
            k.stride[d].set_estimate(static_cast<int>(a.stride));
            k.common[d].set_estimate(static_cast<int>(a.common));
            k.inverse[d].set_estimate(static_cast<int>(a.inverse));
        }
        k.has_residual.set_estimate(false);
        k.formula.set_estimate(static_cast<int>(Formula::none));
        for (Input<int> *split : {&k.rows_per_task, &k.slices_per_task, &k.items_per_task, &k.blocks_per_task}) {
            split->set_estimate(1);
        }
    }
};

}  // namespace
}  // namespace unstride

HALIDE_REGISTER_GENERATOR(unstride::AutoscheduledTransposedConvolution, autoscheduled_transposed_convolution)
