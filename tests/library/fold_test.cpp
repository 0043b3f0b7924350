// Layers of one long row, which is computed as several: that they are tasks of their own, and read and write no more
// than the row.

#include <algorithm>
#include <cmath>

#include "support/catch_compat.h"
#include "support/guarded.h"
#include "support/harness.h"
#include "support/machines.h"

namespace unstride::tests {
namespace {

const ConvTranspose3dOptions vocoder{4, 6, {1, 1, 16}, {1, 1, 8}, {0, 0, 4}};

TEST_CASE("a long row is several tasks", "[fold]") {
    for (const Machine &machine : machines) {
        for (Layout layout : layouts) {
            const auto plan_of = [&](int64_t width) {
                return ConvTranspose3d(vocoder).plan({1, 4, 1, 1, width}, layout, {}, {}, machine);
            };
            const Plan plan = plan_of(8192), of_short_row = plan_of(100);
            INFO(machine.cpu << ": " << of_short_row.variant.name << " and " << of_short_row.rest);
            CHECK(plan.tasks >= std::min(16, 8 * machine.threads));
            CHECK(plan.kernel_calls >= 3);  // There is more before and behind the rows.
            CHECK(of_short_row.tasks == (of_short_row.rest.empty() ? 1 : 2));  // There is one for each variant.
        }
    }
}

TEST_CASE("folded rows keep to their memory", "[fold]") {
    std::mt19937 random(1);
    const ConvTranspose3dOptions others[] = {vocoder,
                                             {3, 5, {1, 1, 3}, 1, {0, 0, 1}},
                                             {3, 5, {1, 1, 4}, {1, 1, 2}, {0, 0, 7}, {0, 0, 1}},
                                             {2, 2, {1, 1, 9}, {1, 1, 4}, 0, 0, 2, with_bias, {1, 1, 5}}};
    for (const ConvTranspose3dOptions &layer : others) {
        for (Layout layout : layouts) {
            for (const Variant &v : variants_here(layout)) {
                if (v.layer) {  // Long rows stay whole for kernels of one layer.
                    continue;
                }
                const ConvTranspose3dOptions options = fitted(layer, v);
                const Case c(options, {2, options.in_channels, 1, 1, 290}, Data::integers, 1);
                ConvTranspose3d convolution = c.layer();
                convolution.set_variant(v.name);
                INFO(v.name << ": " << describe(options, c.input_shape));
                Guarded input(c.input_shape, layout, random), output(c.expected.sizes, layout, random);
                copy_into(input.view(), c.input);
                convolution.forward(input.const_view(), output.view());
                CHECK(mismatch(c.expected.sizes, dense_copy(output.const_view()), c) == "none");
                CHECK(output.surroundings_intact());
                // The residual is the output itself, which is replaced a row at a time.
                convolution.set_activation(Activation::silu());
                Guarded plain(c.expected.sizes, layout, random);
                convolution.forward(input.const_view(), plain.view());
                convolution.forward(input.const_view(), output.view(), output.const_view());
                CHECK(plain.surroundings_intact());
                CHECK(output.surroundings_intact());
                Case activated = c;
                activated.data = Data::reals;
                for (double &value : activated.expected.values) {
                    value = 2 * value / (1 + std::exp(-2 * value));
                }
                CHECK(mismatch(c.expected.sizes, dense_copy(output.const_view()), activated) == "none");
            }
        }
    }
}

TEST_CASE("folded rows have the same bits for any number of threads", "[fold]") {
    const Case c({16, 24, {1, 1, 16}, {1, 1, 8}, {0, 0, 4}}, {1, 16, 1, 1, 700}, Data::reals, 1);
    const int before = num_threads();
    for (Layout layout : layouts) {
        std::vector<float> first;
        for (const int threads : {1, 2, 5}) {
            set_num_threads(threads);
            const std::vector<float> result = dense_copy(forward(c.layer(), c, layout));
            CHECK((first.empty() || same_bits(result, first)));
            first = result;
        }
    }
    set_num_threads(before);
}

}  // namespace
}  // namespace unstride::tests
