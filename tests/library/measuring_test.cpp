// Layers that measure which variant is fastest: what comes out is always the same, and the measuring comes to an end.
// Which variant wins is up to the machine; tests/inside/race_test.cpp tests how the winner follows from the times.

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/catch_compat.h"
#include "support/errors.h"
#include "support/harness.h"
#include "support/scratch_watch.h"
#include "support/settings.h"
#include "support/some_wisdom.h"

namespace unstride::tests {
namespace {

constexpr const char *no_wisdom = "unstride wisdom 1\n";

template<typename T>
ConvTranspose3d measuring(const CaseOf<T> &c, Planning planning = Planning::measure) {
    ConvTranspose3d layer = c.layer();
    layer.set_planning(planning);
    return layer;
}

// Calls a layer with an input until it no longer tries anything. Returns the number of calls.
int settle(const ConvTranspose3d &layer, const Tensor &input) {
    const Types types = input.dtype();
    int calls = 0;
    for (; layer.plan(input.sizes(), input.layout(), {}, types).under_trial && calls <= most_trials; calls++) {
        layer.forward(input.view<void>());
    }
    return calls;
}

bool same_bytes(const Tensor &a, const Tensor &b) {
    const auto bytes = static_cast<size_t>(a.element_count() * size_of(a.dtype()));
    return a.sizes() == b.sizes() && a.dtype() == b.dtype() && std::memcmp(a.data<void>(), b.data<void>(), bytes) == 0;
}

// Checks that all calls give the bits of a layer that estimates, and that what won stays. Returns whether there was
// anything to try.
template<typename T>
bool check_calls(const CaseOf<T> &c, Layout layout) {
    const ConvTranspose3d layer = measuring(c);
    const Tensor input = c.input_as(layout);
    Tensor expected(layer.output_shape(c.input_shape), layout, 3, c.types.output);
    c.layer().forward(input.view<void>(), expected.view<void>());
    const auto is_wrong = [&] {
        Tensor output(expected.sizes(), layout, 3, c.types.output);
        layer.forward(input.view<void>(), output.view<void>());
        return !same_bytes(output, expected);
    };
    const auto plan = [&] { return layer.plan(c.input_shape, layout, {}, c.types); };
    const Plan first = plan(), estimated = c.layer().plan(c.input_shape, layout, {}, c.types);
    INFO(describe(c.options, c.input_shape) << ", " << to_string(layout) << ", " << to_string(c.types));
    CHECK(first.variant.name == estimated.variant.name);
    CHECK(first.rest == estimated.rest);
    CHECK(first.rows_per_task == estimated.rows_per_task);
    CHECK_FALSE(first.measured);
    CHECK_FALSE(estimated.under_trial);
    int wrong = 0, calls = 0;
    for (; plan().under_trial && calls <= most_trials; calls++) {
        CHECK(plan().reason.find(estimated.reason + "; the next calls try it beside ") == 0);
        wrong += is_wrong() ? 1 : 0;
    }
    CHECK(calls <= most_trials);
    const Plan won = plan();
    CHECK(won.measured == first.under_trial);
    CHECK(won.variant.rounds_like(first.variant));
    if (won.measured) {
        CHECK(won.reason.find("measured fastest of ") == 0);
        CHECK(won.expected_seconds > 0);
    }
    for (int i = 0; i < 10; i++) {
        wrong += is_wrong() ? 1 : 0;
        CHECK(plan().variant.name == won.variant.name);
        CHECK(plan().rows_per_task == won.rows_per_task);
        CHECK(plan().reason == won.reason);
    }
    CHECK(wrong == 0);
    return first.under_trial;
}

TEST_CASE("a layer that measures gives the same bits in every call", "[measuring]") {
    const NoWisdom none;
    const std::vector<std::pair<ConvTranspose3dOptions, Shape>> problems = {
        {grouped, input_shape},
        {{8, 45, 3, 2, 1}, {1, 8, 2, 6, 17}},          // The planner may share its channels among two variants.
        {{24, 12, 2, 2}, {2, 24, 3, 4, 7}},            // k = s
        {{64, 64, 3, 1, 1}, {1, 64, 3, 5, 7}},         // minimal filters
        {{64, 3, 4, 2, 1}, {1, 64, 3, 5, 9}},          // products of all taps
        {{20, 20, 3, 1, 1, 0, 20}, {1, 20, 3, 8, 9}},  // depthwise
        {{5, 7, 3, 1}, {1, 5, 1, 1, 200}},             // one long row
        {{2, 1, 1}, {1, 2, 1, 1, 3}},
    };
    int tried = 0;
    for (Layout layout : layouts) {
        for (const auto &[options, shape] : problems) {
            tried += check_calls(Case(options, shape, Data::reals, 5), layout) ? 1 : 0;
            tried += check_calls(CaseOf<double>(options, shape, Data::reals, 6, DType::f64), layout) ? 1 : 0;
        }
        tried += check_calls(Case(grouped, input_shape, Data::reals, 7, DType::bf16), layout) ? 1 : 0;
        tried += check_calls(Case(grouped, input_shape, Data::reals, 8, {DType::f16, DType::f32}), layout) ? 1 : 0;
    }
    CHECK(tried > 0);
}

TEST_CASE("what is forced is not measured", "[measuring]") {
    const Case c(grouped, input_shape, Data::reals, 3);
    ConvTranspose3d layer = measuring(c);
    for (Layout layout : layouts) {
        const std::string name = candidates(grouped, layout).front().name;
        layer.set_variant(name, 2);
        for (int i = 0; i < 4; i++) {
            forward(layer, c, layout);
            const Plan plan = layer.plan(input_shape, layout);
            CHECK(plan.variant.name == name);
            CHECK(plan.rows_per_task == 2);
            CHECK(plan.reason == "the caller asked for it");
            CHECK_FALSE(plan.under_trial);
        }
        layer.set_variant("");
        CHECK(layer.plan(input_shape, layout).under_trial);
    }
}

TEST_CASE("a winner goes to the wisdom where that is asked for", "[measuring][wisdom]") {
    const NoWisdom none;
    int known = 0;
    for (Layout layout : layouts) {
        for (const int64_t channels : {40, 45}) {
            const Case c({16, channels, 3, 2, 1, 1}, input_shape, Data::reals, 3);
            const Tensor input = c.input_as(layout);
            forget_wisdom();
            settle(measuring(c), input);
            CHECK(wisdom_text() == no_wisdom);

            const ConvTranspose3d layer = measuring(c, Planning::remember);
            settle(layer, input);
            const Plan won = layer.plan(input_shape, layout);
            CHECK(won.measured);
            // Wisdom does not know choices of two variants.
            CHECK((wisdom_text() != no_wisdom) == won.rest.empty());
            if (!won.rest.empty()) {
                continue;
            }
            known++;
            for (const Planning planning : {Planning::estimate, Planning::measure, Planning::remember}) {
                const Plan remembered = measuring(c, planning).plan(input_shape, layout);
                CHECK(remembered.measured);
                CHECK_FALSE(remembered.under_trial);
                CHECK(remembered.variant.name == won.variant.name);
                CHECK(remembered.rows_per_task == won.rows_per_task);
            }
            const std::string text = wisdom_text();
            forget_wisdom();
            const WisdomReport report = read_wisdom(text);
            CHECK(report.entries == 1);
            CHECK(report.summary().empty());
            CHECK(wisdom_text() == text);
        }
    }
    INFO("two variants won for all layers");
    CHECK(known > 0);
}

TEST_CASE("a winner that is remembered does not begin the trials of other layers anew", "[measuring][wisdom]") {
    const NoWisdom none;
    const Case c(grouped, input_shape, Data::reals, 3), other(grouped, {1, 16, 4, 5, 11}, Data::reals, 4);
    const ConvTranspose3d first = measuring(c, Planning::remember), second = measuring(other, Planning::remember);
    const auto try_once = [](const ConvTranspose3d &layer, const Case &of_layer) {
        forward(layer, of_layer, Layout::ncdhw);
        return layer.plan(of_layer.input_shape, Layout::ncdhw).under_trial;
    };
    CHECK(try_once(second, other));
    const int calls = settle(first, c.input_as(Layout::ncdhw));
    int more = 1;
    while (try_once(second, other) && more <= most_trials) {
        more++;
    }
    INFO(calls << " and " << more << " calls");
    CHECK(more < most_trials);
    CHECK(first.plan(input_shape, Layout::ncdhw).reason.find("by the layer's first calls") != std::string::npos);
}

TEST_CASE("an input that minimal filters cannot take is measured by itself", "[measuring][wisdom][winograd]") {
    const NoWisdom none;
    Case c({64, 64, 3, 1, 1}, {1, 64, 3, 5, 7}, Data::reals, 12);
    c.input[100] = std::numeric_limits<float>::infinity();
    const ConvTranspose3d layer = measuring(c, Planning::remember);
    for (Layout layout : layouts) {
        const std::vector<float> expected = dense_copy(forward(c.layer(), c, layout));
        int wrong = 0;
        for (int i = 0; i < most_trials; i++) {
            wrong += same_bits(dense_copy(forward(layer, c, layout)), expected) ? 0 : 1;
        }
        CHECK(wrong == 0);
        CHECK(layer.plan(c.input_shape, layout).under_trial);  // No input that the plan is for has come.
    }
    CHECK(wisdom_text() == no_wisdom);
}

TEST_CASE("several threads measure one layer at once", "[measuring][threads]") {
    constexpr int thread_count = 4;
    const Case c({4, 20, 3, 2, 1, 1}, {1, 4, 2, 4, 7}, Data::reals, 3);
    const ConvTranspose3d layer = measuring(c);
    std::vector<std::vector<float>> expected;
    for (Layout layout : layouts) {
        expected.push_back(dense_copy(forward(c.layer(), c, layout)));
    }
    std::atomic<int> wrong{0};
    std::vector<std::thread> threads;
    threads.reserve(thread_count);
    for (int t = 0; t < thread_count; t++) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < 2 * most_trials; i++) {
                const int l = (i + t) % 2;
                wrong += same_bits(dense_copy(forward(layer, c, layouts[l])), expected[static_cast<size_t>(l)]) ? 0 : 1;
                layer.plan(c.input_shape, layouts[l]);
            }
        });
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
    CHECK(wrong == 0);
    for (Layout layout : layouts) {
        CHECK_FALSE(layer.plan(c.input_shape, layout).under_trial);
        CHECK(layer.plan(c.input_shape, layout).measured);
    }
}

TEST_CASE("an app may measure for many sizes in turns", "[measuring]") {
    const ConvTranspose3dOptions options{2, 8, 3, 2, 1};
    ConvTranspose3d layer(options);
    layer.set_planning(Planning::measure);
    std::vector<Tensor> inputs;
    for (int64_t size = 2; size < 7; size++) {
        for (Layout layout : layouts) {
            inputs.emplace_back(Shape{1, 2, 1, size, size}, layout);
            std::fill_n(inputs.back().data(), inputs.back().element_count(), 1.F);
        }
    }
    for (int i = 0; i < most_trials; i++) {
        for (const Tensor &input : inputs) {
            layer.forward(input.view());
        }
    }
    for (const Tensor &input : inputs) {
        CHECK(layer.plan(input.sizes(), input.layout()).measured);
    }
}

TEST_CASE("what changes how a layer is planned begins the trials anew", "[measuring]") {
    const NoWisdom none;
    const Settings restored;
    const Case c(grouped, input_shape, Data::reals, 3);
    const Tensor input = c.input_as(Layout::ndhwc);
    ConvTranspose3d layer = measuring(c);
    const auto plan = [&] { return layer.plan(input_shape, Layout::ndhwc); };
    const auto change = [&](const auto &what) {
        settle(layer, input);
        CHECK(plan().measured);
        what();
        CHECK(plan().under_trial);
        CHECK_FALSE(plan().measured);
    };
    change([] { set_num_threads(num_threads() + 1); });
    change([] { forget_wisdom(); });
    change([] { set_max_isa("baseline"); });
    change([&] {
        layer.set_planning(Planning::estimate);
        CHECK_FALSE(plan().measured);
        CHECK_FALSE(plan().under_trial);
        layer.set_planning(Planning::measure);
    });
    settle(layer, input);
    layer.set_planning(Planning::measure);
    layer.set_weight(c.weight.data(), layer.weight_shape());
    layer.set_activation(Activation::relu());
    CHECK(plan().measured);
    add_wisdom(entry_for(candidates(grouped, Layout::ndhwc).front()));
    CHECK(plan().reason.find("as wisdom tells") != std::string::npos);
    CHECK_FALSE(plan().under_trial);
}

TEST_CASE("nothing is tried for an empty batch", "[measuring]") {
    ConvTranspose3d layer(grouped);
    layer.set_planning(Planning::measure);
    CHECK_FALSE(layer.plan({0, 16, 4, 5, 11}, Layout::ncdhw).under_trial);
    CHECK(layer.forward(Tensor({0, 16, 4, 5, 11}).view()).element_count() == 0);
}

TEST_CASE("candidates without memory do not hold the trials up", "[measuring][errors]") {
    const Case c(grouped, input_shape, Data::integers, 1);
    const Tensor input = c.input_as(Layout::ndhwc);
    for (const int failures : {1, 4, 2 * most_trials}) {
        const ConvTranspose3d layer = measuring(c);
        ScratchWatch watch;
        watch.fail_after(0);
        for (int i = 0; i < failures; i++) {
            error_of<OutOfMemory>([&] { layer.forward(input.view()); });
        }
        watch.allow_all();
        CHECK(settle(layer, input) <= most_trials);
        CHECK(mismatch(layer.forward(input.view()), c) == "none");
    }
}

TEST_CASE("after the trials, weights are packed for the winner alone", "[measuring][memory]") {
    const Case c({64, 64, 3, 2, 1, 1}, {1, 64, 2, 3, 4}, Data::integers, 1);
    for (Layout layout : layouts) {
        const ConvTranspose3d layer = measuring(c);
        const Tensor input = c.input_as(layout);
        Tensor output(c.expected.sizes, layout);
        const int64_t before = heap_bytes();
        settle(layer, input);
        layer.forward(input.view(), output.view());
        if (before == 0) {
            SKIP_TEST("this C library does not tell how much memory is in use");
        }
        CHECK(heap_bytes() - before < layer.plan(c.input_shape, layout).packed_bytes + (128 << 10));
    }
}

TEST_CASE("UNSTRIDE_PLANNING says how new layers plan", "[measuring]") {
    constexpr const char *name = "UNSTRIDE_PLANNING";
    const char *value = std::getenv(name);
    const std::string before = value != nullptr ? value : "";
    const auto planning_with = [&](const char *text) {
        setenv(name, text, 1);
        return ConvTranspose3d(grouped).planning();
    };
    for (const Planning planning : {Planning::estimate, Planning::measure, Planning::remember}) {
        CHECK(planning_with(to_string(planning)) == planning);
    }
    CHECK(planning_with("") == Planning::estimate);
    for (const char *text : {"fast", "Measure", "measure ", "0"}) {
        CHECK(error_of<InvalidArgument>([&] { planning_with(text); }) ==
              std::string("UNSTRIDE_PLANNING: expected estimate, measure or remember, but got '") + text + "'");
    }
    CHECK(planning_with("measure") == Planning::measure);
    ConvTranspose3d layer(grouped);
    CHECK(layer.plan(input_shape, Layout::ncdhw).under_trial);
    layer.set_planning(Planning::estimate);
    CHECK_FALSE(layer.plan(input_shape, Layout::ncdhw).under_trial);
    setenv(name, before.c_str(), 1);
}

}  // namespace
}  // namespace unstride::tests
