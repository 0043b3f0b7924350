// Gradients are planned as forward is, by estimate or by wisdom, and neither changes a bit.

#include <algorithm>
#include <string>
#include <vector>

#include "support/gradient_call.h"
#include "support/machines.h"
#include "support/settings.h"
#include "support/some_wisdom.h"

namespace unstride::tests {
namespace {

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
        const Plan input = plan(Operator::input_gradient, typical_machine),
                   weight = plan(Operator::weight_gradient, typical_machine),
                   bias = plan(Operator::bias_gradient, typical_machine);
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
        CHECK(plan(Operator::weight_gradient, typical_machine, {DType::f16, DType::f32}).compulsory_bytes ==
              arrays / 2 + weights);
        CHECK(bias.compulsory_bytes == 4.0 * 2 * 40 * 6 * 8 * 18);
        for (const Plan &p : {weight, bias}) {
            CHECK(p.rows_per_task == 0);
            CHECK(p.rest.empty());
            CHECK(p.packed_bytes == 0);
            CHECK(p.kernel_calls > 0);
            CHECK(p.scratch_bytes > 0);
            CHECK(p.expected_seconds > 0);
        }
        // A machine chooses from the kernels of all instruction sets with FMA, if it has one.
        const auto with_kernel = std::count_if(variants().begin(), variants().end(), [&](const Variant &v) {
            return v.op == Operator::bias_gradient && v.layout == layout && v.types == Types() &&
                   v.device == Device::cpu && instruction_set(v.isa).fma;
        });
        CHECK(plan(Operator::bias_gradient, best_machine)
                  .reason.find("the least estimated time of " + std::to_string(with_kernel) + " kernel") == 0);
        CHECK(plan(Operator::weight_gradient, old_laptop).variant.isa == "baseline");
    }
}

}  // namespace
}  // namespace unstride::tests
