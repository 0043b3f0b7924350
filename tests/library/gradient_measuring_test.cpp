// Layers that measure their gradients try candidates, and none of them changes a bit.

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "support/gradient_call.h"
#include "support/settings.h"
#include "support/some_wisdom.h"

namespace unstride::tests {
namespace {

// Checks that all calls give the bits of a layer that estimates, and that what won stays. Returns whether there was
// anything to try.
bool check_calls(const Call &call) {
    const ConvTranspose3d layer = call.layer(Planning::measure);
    const std::vector<double> expected = call.result(call.layer());
    const Plan first = call.plan(layer), estimated = call.plan(call.layer());
    INFO(to_string(call.op) << ": " << describe(call.options, call.input_shape) << ", " << to_string(call.layout)
                            << ", " << to_string(call.types));
    CHECK(first.variant.name == estimated.variant.name);
    CHECK_FALSE(first.measured);
    CHECK_FALSE(estimated.under_trial);
    int wrong = 0, calls = 0;
    for (; call.plan(layer).under_trial && calls <= most_trials; calls++) {
        CHECK(call.plan(layer).reason.find(estimated.reason) == 0);
        CHECK(call.plan(layer).reason.find("; the next calls try it beside ") != std::string::npos);
        wrong += same_bits(call.result(layer), expected) ? 0 : 1;
    }
    CHECK(calls <= most_trials);
    const Plan won = call.plan(layer);
    CHECK(won.measured == first.under_trial);
    CHECK(won.variant.rounds_like(first.variant));
    for (int i = 0; i < 5; i++) {
        wrong += same_bits(call.result(layer), expected) ? 0 : 1;
        CHECK(call.plan(layer).variant.name == won.variant.name);
        CHECK(call.plan(layer).reason == won.reason);
    }
    CHECK(wrong == 0);
    return first.under_trial;
}

TEST_CASE("a layer that measures its gradients gives the same bits in every call", "[gradients][measuring]") {
    const NoWisdom none;
    for (const Operator op : gradients) {
        int tried = 0;
        for (const Layout layout : layouts) {
            for (const ConvTranspose3dOptions &options : layers) {
                tried += check_calls({op, options, input_of(options), layout}) ? 1 : 0;
            }
            tried += check_calls({op, layers[0], input_of(layers[0]), layout, DType::f64}) ? 1 : 0;
            tried += check_calls({op, layers[0], input_of(layers[0]), layout, DType::bf16}) ? 1 : 0;
        }
        INFO(to_string(op));
        // Without fused multiply-adds, a layer may have a single kernel of a gradient.
        const bool has_choice = op != Operator::bias_gradient && instruction_set(this_machine().isa).fma;
        CHECK((tried > 0 || !has_choice));
    }
}

TEST_CASE("winners of gradients go to the wisdom where that is asked for", "[gradients][measuring][wisdom]") {
    const NoWisdom none;
    int known = 0;
    for (const Operator op : {Operator::input_gradient, Operator::weight_gradient}) {
        for (const Layout layout : layouts) {
            for (const ConvTranspose3dOptions &options : {layers[0], layers[1]}) {
                const Call call(op, options, input_of(options), layout);
                forget_wisdom();
                const ConvTranspose3d layer = call.layer(Planning::remember);
                if (call.settle(layer) == 0) {
                    continue;
                }
                const Plan won = call.plan(layer);
                CHECK(won.measured);
                CHECK((wisdom_text() != no_wisdom) == won.rest.empty());
                if (!won.rest.empty()) {
                    continue;
                }
                known++;
                const std::string text = wisdom_text();
                INFO(text);
                // That of a layer without strides is a forward, whose lines name no operator.
                CHECK((text.find(line_part(op)) != std::string::npos) == (won.variant.op == op));
                CHECK((text.find(" op=") != std::string::npos) == (won.variant.op != Operator::forward));
                forget_wisdom();
                CHECK_FALSE(call.plan(call.layer()).measured);
                const WisdomReport report = read_wisdom(text);
                CHECK(report.entries == 1);
                CHECK(report.summary().empty());
                CHECK(wisdom_text() == text);
                const Plan remembered = call.plan(call.layer(Planning::measure));
                CHECK(remembered.measured);
                CHECK_FALSE(remembered.under_trial);
                CHECK(remembered.variant.name == won.variant.name);
                CHECK(remembered.rows_per_task == won.rows_per_task);
            }
        }
    }
    CHECK(known > 0);
}

TEST_CASE("several threads measure gradients of one layer at once", "[gradients][measuring][threads]") {
    for (const Operator op : {Operator::input_gradient, Operator::weight_gradient}) {
        const Call call(op, layers[0], input_of(layers[0]), Layout::ndhwc);
        const ConvTranspose3d layer = call.layer(Planning::measure);
        const std::vector<double> expected = call.result(call.layer());
        std::atomic<int> wrong{0};
        std::vector<std::thread> threads;
        for (int t = 0; t < 3; t++) {
            threads.emplace_back([&] {
                for (int i = 0; i < most_trials; i++) {
                    wrong += same_bits(call.result(layer), expected) ? 0 : 1;
                    call.plan(layer);
                }
            });
        }
        for (std::thread &thread : threads) {
            thread.join();
        }
        CHECK(wrong == 0);
        CHECK_FALSE(call.plan(layer).under_trial);
    }
}

TEST_CASE("nothing is tried for gradients of an empty batch", "[gradients][measuring]") {
    for (const Operator op : gradients) {
        const Call call(op, layers[0], {0, 16, 3, 4, 9}, Layout::ncdhw);
        const ConvTranspose3d layer = call.layer(Planning::measure);
        CHECK_FALSE(call.plan(layer).under_trial);
        const std::vector<double> result = call.result(layer);
        CHECK(std::all_of(result.begin(), result.end(), [](double number) { return number == 0; }));
    }
}

}  // namespace
}  // namespace unstride::tests
