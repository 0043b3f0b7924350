// Tasks of several slices, which share the input that they stage.

#include <random>
#include <set>
#include <string>

#include "support/catch_compat.h"
#include "support/guarded.h"
#include "support/harness.h"
#include "support/input_gradient_case.h"

namespace unstride::tests {
namespace {

// Many slices of few rows, of which one thread gets several at a time: with as many taps as strides, more and fewer
// ones, with and without distance between them, with outputs cut off at both ends, and with outputs added there.
const ConvTranspose3dOptions deep_layers[] = {
    {3, 5, {2, 3, 3}, {2, 1, 2}},
    {5, 3, {5, 2, 3}, {2, 2, 1}, {2, 0, 1}, {1, 0, 0}},
    {4, 6, {1, 1, 2}, {2, 3, 2}, 0, 0, 2},
    {2, 7, {3, 2, 1}, {1, 2, 1}, {3, 0, 0}, 0, 1, with_bias, {4, 1, 1}},
    {6, 2, {2, 3, 2}, {5, 1, 1}, 0, {3, 0, 0}, 2, with_bias, {3, 1, 1}},
    {3, 4, {3, 3, 2}, {2, 1, 1}, {-4, -1, 0}, 0, 1, with_bias, 1, "zeros", Triple(-3)},
};
constexpr int64_t depth = 13;

void check_forward(const Variant &v, const ConvTranspose3dOptions &options, int64_t rows,
                   std::set<std::string> &shared) {
    const Case c(options, {1, options.in_channels, depth, 2, 9}, Data::integers, 1);
    ConvTranspose3d layer = c.layer();
    layer.set_variant(v.name, rows);
    std::mt19937 random(1);
    Guarded input(c.input_shape, v.layout, random), output(c.expected.sizes, v.layout, random);
    copy_into(input.view(), c.input);
    layer.forward(input.const_view(), output.view());
    CHECK(mismatch(c.expected.sizes, dense_copy(output.const_view()), c) == "none");
    CHECK(output.surroundings_intact());
    if (layer.plan(c.input_shape, v.layout).slices_per_task > 1) {
        shared.insert(v.family);
    }
}

void check_input_gradient(const Variant &v, const ConvTranspose3dOptions &options, int64_t rows,
                          std::set<std::string> &shared) {
    const GradientCase c(options, {1, options.in_channels, depth, 2, 9}, Data::integers, 1);
    ConvTranspose3d layer = c.layer();
    layer.set_variant(v.name, rows);
    check_call(layer, c, v.layout);
    if (layer.plan(c.input_shape, v.layout, {}, {}, v.op).slices_per_task > 1) {
        shared.insert(v.family);
    }
}

TEST_CASE("slices of a task share what they read", "[slices]") {
    const int threads = num_threads();
    set_num_threads(1);
    for (const Layout layout : layouts) {
        for (const Operator op : {Operator::forward, Operator::input_gradient}) {
            std::set<std::string> families, shared;
            for (const Variant &v : variants_here(layout, {}, op)) {
                families.insert(v.family);
                for (const ConvTranspose3dOptions &near : deep_layers) {
                    for (const int64_t rows : {0, 1}) {
                        const ConvTranspose3dOptions options = fitted(near, v);
                        INFO(v.name << ", " << rows << " rows: " << describe(options, {1, 0, depth, 2, 9}));
                        if (op == Operator::forward) {
                            check_forward(v, options, rows, shared);
                        } else {
                            check_input_gradient(v, options, rows, shared);
                        }
                    }
                }
            }
            for (const char *family : {"channels", "columns", "depthwise"}) {
                INFO(family << " of " << to_string(op) << " in " << to_string(layout));
                CHECK(shared.count(family) == families.count(family));
            }
        }
    }
    set_num_threads(threads);
}

}  // namespace
}  // namespace unstride::tests
