// A forward takes the scratch that its plan states, no more; the bound does not grow with the output, so there is no
// column buffer; and all of it is given back.

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "support/catch_compat.h"
#include "support/harness.h"
#include "support/machines.h"
#include "support/scratch_watch.h"

namespace unstride::tests {
namespace {

// Scratch is at most half of the machine's L2 cache, and not more than this; unless a single output row reads more, as
// some here do in f64.
constexpr int64_t limit_per_thread = 1 << 20;

// Tasks that are boxes of outputs may take more, for their weights to be read less often.
constexpr int64_t limit_of_boxes = 4 << 20;

int64_t limit_of(const Variant &variant) {
    const bool has_boxes =
        variant.op == Operator::input_gradient && (variant.family == "stationary" || variant.family == "winograd");
    const int64_t limit = has_boxes ? limit_of_boxes : limit_per_thread;
    return variant.types.sums() == DType::f64 ? 2 * limit : limit;
}

std::vector<Variant> all_variants_here() {
    std::vector<Variant> all;
    for (Layout layout : layouts) {
        for (const Types &types : supported_types()) {
            for (const Operator op : {Operator::forward, Operator::input_gradient}) {
                const std::vector<Variant> of_op = variants_here(layout, types, op);
                all.insert(all.end(), of_op.begin(), of_op.end());
            }
        }
    }
    return all;
}

void run(const ConvTranspose3d &layer, Operator op, const View<const void> &from, const View<void> &to) {
    op == Operator::forward ? layer.forward(from, to) : layer.input_gradient(from, to);
}

// Runs one call with the variant into a buffer of the caller, with weights that were packed before.
void measure(ConvTranspose3d &layer, const Variant &variant, const Shape &input_shape, int threads) {
    set_num_threads(threads);
    layer.set_variant(variant.name);
    fill_weight(layer, 1);  // All types have this number.
    Shape read = input_shape, written = layer.output_shape(input_shape);
    if (variant.op == Operator::input_gradient) {
        std::swap(read, written);
    }
    Tensor input(read, variant.layout, 3, variant.types.input),
        output(written, variant.layout, 3, variant.types.output);
    copy_into(input.view<void>(), std::vector<double>(input.element_count(), 1));
    const View<const void> from = input.view<void>();
    run(layer, variant.op, from, output.view<void>());

    const int64_t heap_before = heap_bytes();
    const ScratchWatch watch;
    run(layer, variant.op, from, output.view<void>());
    const Plan plan = layer.plan(input_shape, variant.layout, {}, variant.types, variant.op);
    CHECK(plan.variant.name == variant.name);
    INFO(variant.name << ", " << threads << " threads: " << watch.peak_bytes() << " bytes of scratch in "
                      << watch.allocations() << " allocations, at most " << plan.scratch_bytes
                      << " planned: " << describe(layer.options(), input_shape));
    CHECK(plan.threads == threads);
    CHECK(watch.peak_bytes() <= plan.scratch_bytes);
    CHECK(plan.scratch_bytes <= threads * limit_of(variant));
    CHECK(watch.live_bytes() == 0);
    // The wrapper itself needs some bytes for bookkeeping.
    CHECK(watch.peak_heap_bytes() - heap_before < watch.peak_bytes() + (64 << 10));
}

TEST_CASE("scratch stays within the plan", "[memory]") {
    const int threads = num_threads();
    for (int count : {1, 4}) {
        for (const Variant &v : all_variants_here()) {
            ConvTranspose3d layer(fitted({24, 40, 4, {2, 2, 3}, 1}, v));
            const int64_t channels = layer.options().in_channels;
            measure(layer, v, {1, channels, 2, 3, 20}, count);
            measure(layer, v, {2, channels, 2, 3, 20}, count);
            measure(layer, v, {1, channels, 5, 3, 20}, count);
            measure(layer, v, {1, channels, 2, 12, 20}, count);
        }
    }
    set_num_threads(threads);
}

TEST_CASE("scratch stays within the plan for awkward geometries", "[memory]") {
    const int threads = num_threads();
    const std::vector<std::pair<ConvTranspose3dOptions, Shape>> problems = {
        {{1, 1, 1}, {1, 1, 1, 1, 1}},
        {{3, 5, {2, 3, 7}, {3, 2, 1}, 0, 0, 1, with_bias, {1, 2, 5}}, {2, 3, 3, 4, 9}},
        {{33, 33, 5, 1, 2, 0, 33}, {1, 33, 3, 4, 5}},
        {{2, 70, 3, 5, 0, 4}, {1, 2, 3, 4, 50}},
        {{6, 6, 3, 4, 9, 0, 2, with_bias, {6, 6, 6}}, {1, 6, 9, 9, 9}},
        {{4, 4, 3, 1, {0, 0, 90}}, {1, 4, 2, 3, 200}},  // Most of each row is cut off.
        {{4, 4, 3, 2, {0, 0, 190}}, {1, 4, 2, 3, 200}},
        {{4, 4, {1, 1, 3}, {1, 1, 2}, {0, 0, 80}, 0, 1, with_bias, {1, 1, 79}}, {1, 4, 2, 3, 30}},
        {{4, 4, {1, 1, 3}, {1, 1, 3}, {0, 0, 80}, 0, 1, with_bias, {1, 1, 79}}, {1, 4, 2, 3, 30}},
        {{4, 4, 3, 1, {-1, -2, -90}, 0, 1, with_bias, 1, "zeros", Triple(0)},
         {1, 4, 2, 3, 20}},  // Most of each row is added.
        {{4, 4, 3, 2, {-1, -7, -91}, 0, 1, with_bias, {1, 3, 2}, "zeros", Triple(-9)}, {1, 4, 2, 3, 20}},
    };
    for (const auto &[options, input] : problems) {
        ConvTranspose3d layer(options);
        for (const Variant &v : all_variants_here()) {
            if (takes(v, options)) {
                measure(layer, v, input, 2);
            }
        }
    }
    set_num_threads(threads);
}

// The least and the most bytes of scratch that a thread takes.
std::pair<int64_t, int64_t> planned_scratch(int64_t channels, Layout layout, const Machine &machine) {
    // Plans take no memory: the largest of these outputs has about 2^48 elements.
    const Shape inputs[] = {
        {1, 0, 8, 8, 32}, {64, 0, 8, 8, 32}, {1, 0, 512, 8, 32}, {1, 0, 8, 512, 32}, {1 << 20, 0, 128, 200, 32}};
    const ConvTranspose3d layer(channels, 32, 4, 2, 1);
    int64_t most = 0, least = std::numeric_limits<int64_t>::max();
    for (Shape input : inputs) {
        input[1] = channels;
        const Plan plan = layer.plan(input, layout, {}, {}, machine);
        INFO(plan.variant.name << ", " << plan.rows_per_task << " rows a task: " << describe(layer.options(), input));
        CHECK(plan.scratch_bytes > 0);
        most = std::max(most, plan.scratch_bytes / plan.threads);
        least = std::min(least, plan.scratch_bytes / plan.threads);
    }
    return {least, most};
}

TEST_CASE("scratch does not grow with the output", "[memory]") {
    for (const Machine &machine : machines) {
        for (Layout layout : layouts) {
            for (int64_t channels : {int64_t{16}, int64_t{1024}}) {
                const auto [least, most] = planned_scratch(channels, layout, machine);
                INFO(machine.cpu << ", " << channels << " channels, from " << least << " to " << most
                                 << " bytes a thread");
                CHECK(most <=
                      (channels == 16 ? limit_per_thread : 4 * least));  // A row of 1024 channels is above the limit.
            }
        }
    }
}

TEST_CASE("scratch is far below a column buffer and below the output", "[memory]") {
    const ConvTranspose3d layer(32, 32, 3, 2, 1, 1);
    const Shape input{1, 32, 64, 64, 64};
    const int64_t column_buffer = int64_t{sizeof(float)} * 32 * 27 * 64 * 64 * 64;
    const int64_t output = int64_t{sizeof(float)} * element_count(layer.output_shape(input));
    for (const Machine &machine : machines) {
        for (Layout layout : layouts) {
            const Plan plan = layer.plan(input, layout, {}, {}, machine);
            INFO(machine.cpu << ": " << plan.variant.name << ", " << plan.threads << " threads");
            CHECK(plan.scratch_bytes / plan.threads * 800 < column_buffer);
            CHECK(plan.scratch_bytes / plan.threads * 250 < output);
        }
    }
}

TEST_CASE("packed weights take what the plan says, once", "[memory]") {
    const Case c({64, 64, 3, 2, 1, 1}, {1, 64, 2, 3, 4}, Data::integers, 1);
    for (Layout layout : layouts) {
        const ConvTranspose3d layer = c.layer();
        const Tensor input = c.input_as(layout);
        Tensor output(c.expected.sizes, layout);
        const int64_t before = heap_bytes();
        layer.forward(input.view(), output.view());
        const int64_t packed = heap_bytes() - before, planned = layer.plan(c.input_shape, layout).packed_bytes;
        if (before == 0) {
            SKIP_TEST("this C library does not tell how much memory is in use");
        }
        CHECK(planned >= int64_t{64 * 64 * 27 * sizeof(float)});
        CHECK(packed >= planned);
        CHECK(packed < planned + (64 << 10));
        for (int i = 0; i < 5; i++) {
            layer.forward(input.view(), output.view());
        }
        CHECK(heap_bytes() - before < planned + (64 << 10));
    }
}

TEST_CASE("nothing leaks", "[memory]") {
    const auto live = [] {
        Case c({32, 48, 3, 2, 1, 1}, {1, 32, 2, 3, 4}, Data::integers, 1);
        ConvTranspose3d layer = c.layer();
        for (int i = 0; i < 3; i++) {
            forward(layer, c, layouts[i % 2]);
            layer.set_weight(c.weight.data(), layer.weight_shape());
            CHECK_THROWS_AS(layer.forward(View<const float>{}), InvalidArgument);
        }
    };
    live();
    const int64_t before = heap_bytes();
    for (int i = 0; i < 10; i++) {
        live();
    }
    CHECK(heap_bytes() - before < (64 << 10));  // The weights of one layer take 160 KiB.
}

}  // namespace
}  // namespace unstride::tests
