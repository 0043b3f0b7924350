// Random geometries, data and views on random variants for a while: UNSTRIDE_FUZZ_SECONDS, by default 8. A failure
// prints its seed; UNSTRIDE_FUZZ_SEED starts with it.

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>

#include "support/catch_compat.h"
#include "support/guarded.h"
#include "support/harness.h"

namespace unstride::tests {
namespace {

struct RandomCase {
    ConvTranspose3dOptions options;
    Shape input_shape;
};

// A number from 1 to `usual`, now and then up to `rare`.
int64_t size(std::mt19937 &random, int64_t usual, int64_t rare) {
    return 1 + static_cast<int64_t>(random() % (random() % 8 == 0 ? rare : usual));
}

RandomCase draw(std::mt19937 &random) {
    RandomCase r;
    ConvTranspose3dOptions &o = r.options;
    const auto triple = [&](auto f) { return Triple(f(0), f(1), f(2)); };
    o.groups = random() % 2 == 0 ? 1 : size(random, 4, 20);
    o.in_channels = o.groups * size(random, 6, 40);
    o.out_channels = o.groups * size(random, 20, 70);
    if (random() % 6 == 0) {
        o.in_channels = o.out_channels = o.groups = size(random, 20, 140);
    }
    o.kernel_size = triple([&](int) { return size(random, 4, 8); });
    o.stride = triple([&](int) { return size(random, 3, 6); });
    o.dilation = triple([&](int) { return random() % 2 == 0 ? 1 : size(random, 3, 6); });
    o.padding = triple([&](int d) { return size(random, 3, o.kernel_size[d] * o.dilation[d] + 3) - 1; });
    o.output_padding = triple([&](int d) { return size(random, 1, std::max(o.stride[d], o.dilation[d])) - 1; });
    o.bias = random() % 4 != 0;
    if (random() % 3 == 0) {
        o.padding_end =
            triple([&](int d) { return size(random, 4, o.kernel_size[d] * o.dilation[d] + 3) - size(random, 4, 40); });
        if (random() % 2 == 0) {
            o.padding = triple([&](int d) { return o.padding[d] - size(random, 4, 40); });
        }
    }
    r.input_shape = {size(random, 2, 5), o.in_channels, size(random, 4, 9), size(random, 4, 9), size(random, 12, 70)};
    return r;
}

bool is_valid_and_small(const RandomCase &r) {
    const Shape output = reference_shape(r.options, r.input_shape);
    const Triple &k = r.options.kernel_size;
    return std::min({output[2], output[3], output[4]}) > 0 && element_count(output) < 100000 &&
           r.options.in_channels / r.options.groups * k[0] * k[1] * k[2] * element_count(output) < 3000000;
}

void check_random(uint32_t seed) {
    std::mt19937 random(seed);
    RandomCase r = draw(random);
    while (!is_valid_and_small(r)) {
        r = draw(random);
    }
    const Case c(r.options, r.input_shape, random() % 4 == 0 ? Data::reals : Data::integers, random());
    INFO("UNSTRIDE_FUZZ_SEED=" << seed << ": " << describe(c.options, c.input_shape));
    for (Layout layout : layouts) {
        Guarded input(c.input_shape, layout, random), output(c.expected.sizes, layout, random);
        copy_into(input.view(), c.input);
        ConvTranspose3d layer = c.layer();
        const std::vector<Variant> here = variants_here(layout);
        const Variant &variant = here[random() % here.size()];
        if (takes(variant, c.options)) {  // Where it does not, the planner chooses.
            layer.set_variant(variant.name);
        }
        const int threads = 1 + static_cast<int>(random() % 4);
        set_num_threads(threads);
        INFO(layer.plan(c.input_shape, layout).variant.name << ", " << threads << " threads");
        layer.forward(input.const_view(), output.view());
        CHECK(mismatch(c.expected.sizes, dense_copy(output.const_view()), c) == "none");
        CHECK(output.surroundings_intact());
        CHECK(input.surroundings_intact());
    }
}

double from_environment(const char *name, double otherwise) {
    const char *value = std::getenv(name);
    return value == nullptr ? otherwise : std::atof(value);
}

TEST_CASE("random geometries and views", "[random]") {
    using Clock = std::chrono::steady_clock;
    const std::chrono::duration<double> box(from_environment("UNSTRIDE_FUZZ_SECONDS", 8));
    const auto first = static_cast<uint32_t>(from_environment("UNSTRIDE_FUZZ_SEED", std::random_device()()));
    const int threads = num_threads();
    const auto start = Clock::now();
    uint32_t seed = first;
    do {
        check_random(seed++);
    } while (Clock::now() - start < box);
    set_num_threads(threads);
    std::cout << "random geometries with seeds from " << first << " to " << seed - 1 << "\n";
}

}  // namespace
}  // namespace unstride::tests
