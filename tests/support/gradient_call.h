#ifndef UNSTRIDE_TESTS_GRADIENT_CALL_H
#define UNSTRIDE_TESTS_GRADIENT_CALL_H

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "support/catch_compat.h"
#include "support/errors.h"
#include "support/harness.h"

// What tests of the planning of gradients share: layers, and calls that are planned and measured.
namespace unstride::tests {

inline constexpr Operator gradients[] = {Operator::input_gradient, Operator::weight_gradient, Operator::bias_gradient};

inline constexpr const char *no_wisdom = "unstride wisdom 1\n";

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

inline bool same_bits(const std::vector<double> &a, const std::vector<double> &b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0;
}

// The rows of a task that wisdom may name for an operator, of layers with two rows or more.
inline std::vector<int64_t> rows_for(Operator op) {
    return op == Operator::input_gradient ? std::vector<int64_t>{1, 2} : std::vector<int64_t>{0};
}

inline std::string line_part(Operator op) {
    return std::string(" op=") + to_string(op) + " ";
}

inline const ConvTranspose3dOptions layers[] = {
    {16, 40, 3, 2, 1, 1, 2},         // groups
    {16, 24, 3, 1, 1},               // The input gradient is a forward.
    {20, 20, 3, 2, 1, 0, 20},        // depthwise
    {24, 2, {1, 1, 4}, {1, 1, 2}},   // few outputs
    {3, 5, {1, 1, 9}, {1, 1, 4}},    // few of both
    {33, 17, {2, 3, 1}, {2, 2, 1}},  // blocks that are not full
};

inline Shape input_of(const ConvTranspose3dOptions &options) {
    return {2, options.in_channels, 3, 4, 9};
}

}  // namespace unstride::tests

#endif
