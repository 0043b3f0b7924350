// Gradients are planned as forward is: by estimate, by wisdom or by trials, and none of these changes a bit.

#include <algorithm>
#include <atomic>
#include <cstring>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "support/catch_compat.h"
#include "support/errors.h"
#include "support/harness.h"
#include "support/machines.h"
#include "support/settings.h"
#include "support/some_wisdom.h"

namespace unstride::tests {
namespace {

constexpr Operator gradients[] = {Operator::input_gradient, Operator::weight_gradient, Operator::bias_gradient};

constexpr const char *no_wisdom = "unstride wisdom 1\n";

// An operator of a layer with the arrays that it reads.
struct Call {
    Operator op;
    ConvTranspose3dOptions options;
    Shape input_shape;
    Layout layout;
    Types types;
    Tensor input, grad_output;

    Call(Operator op, const ConvTranspose3dOptions &options, const Shape &input_shape, Layout layout,
         const Types &types = {})
        : op(op), options(options), input_shape(input_shape), layout(layout), types(types),
          input(input_shape, layout, 3, types.input),
          grad_output(ConvTranspose3d(options).output_shape(input_shape), layout, 3, types.input) {
        std::mt19937 random(7);
        for (Tensor *tensor : {&input, &grad_output}) {
            copy_into(tensor->view<void>(),
                      make_data<double>(tensor->element_count(), Data::reals, random, types.input));
        }
    }

    ConvTranspose3d layer(Planning planning = Planning::estimate) const {
        ConvTranspose3d layer(options);
        layer.set_planning(planning);
        return layer;
    }

    Plan plan(const ConvTranspose3d &layer) const {
        return layer.plan(input_shape, layout, {}, types, op);
    }

    // Computes the operator once.
    std::vector<double> result(const ConvTranspose3d &layer) const {
        const auto memory = [&](const Shape &sizes, Layout order) { return Tensor(sizes, order, 3, types.output); };
        const View<const void> from = grad_output.view<void>();
        if (op == Operator::forward) {
            Tensor to = memory(grad_output.sizes(), layout);
            layer.forward(input.view<void>(), to.view<void>());
            return numbers_of(to.view<void>());
        }
        if (op == Operator::input_gradient) {
            Tensor to = memory(input_shape, layout);
            layer.input_gradient(from, to.view<void>());
            return numbers_of(to.view<void>());
        }
        if (op == Operator::weight_gradient) {
            Tensor to = memory(layer.weight_shape(), Layout::ncdhw);
            layer.weight_gradient(input.view<void>(), from, to.view<void>());
            return numbers_of(to.view<void>());
        }
        Tensor to = memory({options.out_channels, 1, 1, 1}, Layout::ncdhw);
        layer.bias_gradient(from, View<void>(to.data<void>(), types.output, {options.out_channels}, {1}));
        return numbers_of(to.view<void>());
    }

    // Calls a layer until it no longer tries anything, and returns the number of calls.
    int settle(const ConvTranspose3d &layer) const {
        int calls = 0;
        for (; plan(layer).under_trial && calls <= most_trials; calls++) {
            result(layer);
        }
        return calls;
    }

    // The variants that round as the planner's choice, which wisdom may name.
    std::vector<Variant> candidates() const {
        const Variant planned = plan(layer()).variant;
        std::vector<Variant> found;
        for (const Variant &v : variants_here(layout, planned.types, planned.op)) {
            ConvTranspose3d forced = layer();
            const std::string error = error_of<InvalidArgument>([&] {
                forced.set_variant(v.name, 0, op);
                plan(forced);
            });
            if (error == "no error" && v.rounds_like(planned)) {
                found.push_back(v);
            }
        }
        REQUIRE_FALSE(found.empty());
        return found;
    }

    WisdomEntry entry_for(const Variant &v, int64_t rows) const {
        return {options, input_shape, {}, layout, num_threads(), v.name, rows, 1.5e-3, 7, types, op};
    }
};

bool same_bits(const std::vector<double> &a, const std::vector<double> &b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0;
}

// The rows of a task that wisdom may name for an operator, of layers with two rows or more.
std::vector<int64_t> rows_for(Operator op) {
    return op == Operator::input_gradient ? std::vector<int64_t>{1, 2} : std::vector<int64_t>{0};
}

std::string line_part(Operator op) {
    return std::string(" op=") + to_string(op) + " ";
}

const ConvTranspose3dOptions layers[] = {
    {16, 40, 3, 2, 1, 1, 2},         // groups
    {16, 24, 3, 1, 1},               // The input gradient is a forward.
    {20, 20, 3, 2, 1, 0, 20},        // depthwise
    {24, 2, {1, 1, 4}, {1, 1, 2}},   // few outputs
    {3, 5, {1, 1, 9}, {1, 1, 4}},    // few of both
    {33, 17, {2, 3, 1}, {2, 2, 1}},  // blocks that are not full
};

Shape input_of(const ConvTranspose3dOptions &options) {
    return {2, options.in_channels, 3, 4, 9};
}

// ---------------------------------------------------------------------------------------------------- measuring

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

// ---------------------------------------------------------------------------------------------------- wisdom

TEST_CASE("wisdom decides what computes a gradient, and not what comes out", "[gradients][wisdom]") {
    const NoWisdom none;
    for (const Operator op : gradients) {
        for (const Layout layout : layouts) {
            for (const ConvTranspose3dOptions &options : layers) {
                const Call call(op, options, input_of(options), layout);
                const ConvTranspose3d layer = call.layer();
                const Plan estimated = call.plan(layer);
                const std::vector<double> expected = call.result(layer);
                for (const Variant &v : call.candidates()) {
                    for (const int64_t rows : rows_for(op)) {
                        add_wisdom(call.entry_for(v, rows));
                        const Plan plan = call.plan(layer);
                        INFO(v.name << " for the " << to_string(op) << " of " << describe(options, call.input_shape));
                        CHECK(plan.variant.name == v.name);
                        CHECK(plan.rows_per_task == rows);
                        CHECK(plan.measured);
                        CHECK(plan.expected_seconds == 1.5e-3);
                        CHECK(plan.reason.find("measured fastest of 7 candidates, as wisdom tells: 1500 us") == 0);
                        CHECK(same_bits(call.result(layer), expected));
                        const std::string text = wisdom_text();
                        forget_wisdom();
                        CHECK(call.plan(layer).reason == estimated.reason);
                        CHECK(read_wisdom(text).entries == 1);
                        CHECK(call.plan(layer).variant.name == v.name);
                        CHECK(wisdom_text() == text);
                    }
                }
                forget_wisdom();
                CHECK(call.plan(layer).variant.name == estimated.variant.name);
            }
        }
    }
}

TEST_CASE("wisdom is for one operator", "[gradients][wisdom]") {
    const NoWisdom none;
    const ConvTranspose3dOptions &options = layers[0];
    for (const Operator op :
         {Operator::forward, Operator::input_gradient, Operator::weight_gradient, Operator::bias_gradient}) {
        const Call call(op, options, input_of(options), Layout::ndhwc);
        add_wisdom(call.entry_for(call.candidates().front(), op == Operator::forward ? 1 : rows_for(op).front()));
        for (const Operator other :
             {Operator::forward, Operator::input_gradient, Operator::weight_gradient, Operator::bias_gradient}) {
            CHECK(call.layer().plan(call.input_shape, call.layout, {}, {}, other).measured == (other == op));
        }
        forget_wisdom();
    }
}

TEST_CASE("wisdom of gradients knows what they depend on", "[gradients][wisdom]") {
    const NoWisdom none;
    // Kernels of weight gradients know nothing of the type that their sums are rounded to.
    const Call half(Operator::weight_gradient, layers[0], input_of(layers[0]), Layout::ndhwc, DType::f16);
    add_wisdom(half.entry_for(half.candidates().front(), 0));
    const auto measured = [&](const Types &types) {
        return half.layer().plan(half.input_shape, half.layout, {}, types, half.op).measured;
    };
    CHECK(measured(DType::f16));
    CHECK(measured({DType::f16, DType::f32}));
    CHECK_FALSE(measured(DType::bf16));

    // Of a bias gradient only the output matters.
    const Call bias(Operator::bias_gradient, {4, 6, 2, 2}, {1, 4, 2, 3, 5}, Layout::ncdhw);
    add_wisdom(bias.entry_for(bias.candidates().front(), 0));
    const auto bias_measured = [&](const ConvTranspose3dOptions &options, const Shape &input) {
        return ConvTranspose3d(options).plan(input, Layout::ncdhw, {}, {}, Operator::bias_gradient).measured;
    };
    CHECK(bias_measured({8, 6, 1, 1}, {1, 8, 4, 6, 10}));
    CHECK_FALSE(bias_measured({8, 7, 1, 1}, {1, 8, 4, 6, 10}));

    // Without strides, the input gradient is a forward, with which it shares what is known.
    const Call one(Operator::input_gradient, {6, 4, 3, 1}, {1, 6, 3, 4, 5}, Layout::ncdhw);
    add_wisdom(one.entry_for(one.candidates().front(), 1));
    CHECK(ConvTranspose3d(4, 6, 3, 1, 2).plan({1, 4, 5, 6, 7}, Layout::ncdhw).measured);
}

TEST_CASE("winners of gradients that cannot be", "[gradients][wisdom]") {
    const NoWisdom none;
    const auto refused = [](const Call &call, const std::string &variant, int64_t rows) {
        WisdomEntry entry = call.entry_for(call.candidates().front(), rows);
        entry.variant = variant.empty() ? entry.variant : variant;
        return error_of<InvalidArgument>([&] { add_wisdom(entry); });
    };
    const Call input(Operator::input_gradient, layers[0], input_of(layers[0]), Layout::ndhwc),
        weight(Operator::weight_gradient, layers[0], input_of(layers[0]), Layout::ndhwc),
        one(Operator::input_gradient, layers[1], input_of(layers[1]), Layout::ndhwc);
    const std::string of_forward = variants_here(Layout::ndhwc).front().name,
                      of_input = input.candidates().front().name;
    CHECK(refused(input, of_forward, 1) == "variant " + of_forward + " computes the forward, not the input_gradient");
    CHECK(refused(weight, of_input, 0) ==
          "variant " + of_input + " computes the input_gradient, not the weight_gradient");
    CHECK(refused(one, of_input, 1) ==
          "variant " + of_input +
              " computes the input_gradient, not the forward, which input gradients are where all strides are 1");
    CHECK(refused(weight, "", 1) == "a task of a weight_gradient has no rows, but got 1");
    CHECK(refused(input, "", 0).find("the rows of a task must be from 1 to 4") == 0);
    CHECK(refused(input, "", 5).find("the rows of a task must be from 1 to 4") == 0);
    CHECK(wisdom_text() == no_wisdom);
    CHECK(refused(input, "", 4) == "no error");
}

// ---------------------------------------------------------------------------------------------------- forced, plans

TEST_CASE("a variant may be forced for one operator alone", "[gradients]") {
    const Call call(Operator::input_gradient, layers[1], input_of(layers[1]), Layout::ncdhw);
    const std::vector<double> expected = call.result(call.layer());
    ConvTranspose3d layer = call.layer();
    for (const Variant &v : call.candidates()) {
        CHECK(v.op == Operator::forward);
        layer.set_variant(v.name, 2, Operator::input_gradient);
        const Plan plan = call.plan(layer);
        CHECK(plan.variant.name == v.name);
        CHECK(plan.rows_per_task == 2);
        CHECK(plan.reason.find("the caller asked for it") == 0);
        CHECK(same_bits(call.result(layer), expected));
        CHECK(layer.plan(call.input_shape, Layout::ncdhw).reason != "the caller asked for it");
    }
    const std::string of_forward = call.candidates().front().name;
    layer.set_variant(of_forward, 0, Operator::forward);
    layer.set_variant("", 0, Operator::input_gradient);
    CHECK(call.plan(layer).reason.find("the caller") == std::string::npos);
    CHECK(layer.plan(call.input_shape, Layout::ncdhw).reason == "the caller asked for it");

    ConvTranspose3d strided(layers[0]);
    CHECK(error_of<InvalidArgument>([&] { strided.set_variant(of_forward, 0, Operator::input_gradient); }) ==
          "variant " + of_forward + " computes input gradients of layers whose strides are 1 alone");
    CHECK(error_of<InvalidArgument>([&] { strided.set_variant(of_forward, 0, Operator::weight_gradient); }) ==
          "variant " + of_forward + " computes the forward, not the weight_gradient");
    CHECK(error_of<InvalidArgument>([&] { strided.set_variant("", 1, Operator::forward); }) ==
          "rows_per_task must not be negative, and goes with a variant");
}

TEST_CASE("plans of gradients say what they spend their time on", "[gradients][planning]") {
    for (const Layout layout : layouts) {
        const auto plan = [&](Operator op, const Machine &machine, const Types &types = {}) {
            return ConvTranspose3d(layers[0]).plan(input_of(layers[0]), layout, {}, types, machine, op);
        };
        const Plan input = plan(Operator::input_gradient, zen3), weight = plan(Operator::weight_gradient, zen3),
                   bias = plan(Operator::bias_gradient, zen3);
        CHECK(input.reason.find(" in staging input rows") != std::string::npos);
        CHECK(input.rows_per_task > 0);
        CHECK(weight.reason.find(" of it in the multiply-adds, ") != std::string::npos);
        CHECK(weight.reason.find(" in adding up runs, ") != std::string::npos);
        CHECK(weight.reason.find(" in staging input and grad_output") != std::string::npos);
        CHECK(
            bias.reason ==
            "the least estimated time of 1 kernel: 100 % of it in reading grad_output, for which each instruction set "
            "has one kernel");
        const double arrays = 4.0 * (2 * 16 * 3 * 4 * 9 + 2 * 40 * 6 * 8 * 18), weights = 4.0 * 16 * 20 * 27;
        CHECK(weight.compulsory_bytes == arrays + weights);
        CHECK(plan(Operator::weight_gradient, zen3, {DType::f16, DType::f32}).compulsory_bytes == arrays / 2 + weights);
        CHECK(bias.compulsory_bytes == 4.0 * 2 * 40 * 6 * 8 * 18);
        for (const Plan &p : {weight, bias}) {
            CHECK(p.rows_per_task == 0);
            CHECK(p.rest.empty());
            CHECK(p.packed_bytes == 0);
            CHECK(p.kernel_calls > 0);
            CHECK(p.scratch_bytes > 0);
            CHECK(p.expected_seconds > 0);
        }
        // A machine of AVX-512 chooses from the kernels of two instruction sets.
        CHECK(plan(Operator::bias_gradient, zen4).reason.find("the least estimated time of 2 kernels") == 0);
        CHECK(plan(Operator::weight_gradient, old_laptop).variant.isa == "baseline");
    }
}

}  // namespace
}  // namespace unstride::tests
