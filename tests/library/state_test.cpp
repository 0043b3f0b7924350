// A layer over time: threads, repeated and simultaneous forwards, changes of its weights, moves.

#include <algorithm>
#include <atomic>
#include <map>
#include <string>
#include <thread>
#include <utility>

#include "support/catch_compat.h"
#include "support/harness.h"
#include "support/scratch_watch.h"

namespace unstride::tests {
namespace {

const ConvTranspose3dOptions grouped{16, 40, 3, 2, 1, 1, 2};
const Shape grouped_input{3, 16, 4, 5, 11};

TEST_CASE("any number of threads gives the same bits", "[threads]") {
    const int threads = num_threads();
    std::map<std::string, Case> cases;  // which many variants have in common
    for (Layout layout : layouts) {
        for (const Variant &v : variants_here(layout)) {
            const ConvTranspose3dOptions options = fitted({10, 36, 3, {2, 1, 2}, 1}, v);
            const Shape input_shape{2, options.in_channels, 4, 5, 23};
            const Case &c =
                cases.try_emplace(describe(options, input_shape), options, input_shape, Data::reals, 9).first->second;
            ConvTranspose3d layer = c.layer();
            layer.set_variant(v.name);
            set_num_threads(1);
            const std::vector<float> serial = dense_copy(forward(layer, c, layout));
            for (int count : {2, 3, 8}) {
                set_num_threads(count);
                CHECK(num_threads() == count);
                INFO(v.name << ", " << count << " threads, " << layer.plan(c.input_shape, layout).tasks << " tasks");
                CHECK(same_bits(dense_copy(forward(layer, c, layout)), serial));
            }
        }
    }
    set_num_threads(threads);
}

TEST_CASE("any number of threads gives the same bits, whatever is planned for them", "[threads]") {
    const int threads = num_threads();
    const ConvTranspose3dOptions layers[] = {{16, 40, 3, 2, 1, 1, 2},
                                             {64, 20, 4, 2, 1},
                                             {30, 30, 3, {1, 2, 2}, 1, 0, 30},
                                             {20, 3, 5, 3, 2, 0, 1, with_bias, {1, 2, 1}},
                                             {9, 1, 3}};
    for (const ConvTranspose3dOptions &options : layers) {
        const Case c(options, {2, options.in_channels, 3, 7, 11}, Data::reals, 4);
        const ConvTranspose3d layer = c.layer();
        for (Layout layout : layouts) {
            set_num_threads(1);
            const std::vector<float> serial = dense_copy(forward(layer, c, layout));
            for (int count : {2, 5, 32, 256}) {
                set_num_threads(count);
                INFO(layer.plan(c.input_shape, layout).variant.name
                     << ", " << count << " threads: " << describe(options, c.input_shape));
                CHECK(same_bits(dense_copy(forward(layer, c, layout)), serial));
            }
        }
    }
    set_num_threads(threads);
}

TEST_CASE("no more threads work than are set, also when there were more", "[threads]") {
    const int threads = num_threads();
    const Case c(grouped, {4, 16, 6, 8, 40}, Data::reals, 2);
    const ConvTranspose3d layer = c.layer();
    for (int count : {1, 4, 2, 1}) {
        set_num_threads(count);
        for (int run = 0; run < 10; run++) {
            const ScratchWatch watch;
            forward(layer, c, Layout::ncdhw);
            CHECK(watch.threads() >= 1);
            CHECK(watch.threads() <= count);
        }
    }
    set_num_threads(threads);
}

TEST_CASE("every run gives the same bits", "[threads]") {
    for (Layout layout : layouts) {
        const Case c(grouped, grouped_input, Data::reals, 2);
        const ConvTranspose3d layer = c.layer(), twin = c.layer();
        const std::vector<float> first = dense_copy(forward(layer, c, layout));
        for (int run = 0; run < 20; run++) {
            CHECK(same_bits(dense_copy(forward(run % 2 == 0 ? layer : twin, c, layout)), first));
        }
    }
}

TEST_CASE("several threads use one layer at once", "[threads]") {
    constexpr int thread_count = 6, layer_count = 30;
    std::vector<Case> cases;
    std::vector<std::vector<float>> serial;
    cases.reserve(thread_count);
    serial.reserve(thread_count);
    for (int i = 0; i < thread_count; i++) {
        cases.emplace_back(grouped, Shape{1 + i % 2, 16, 2 + i, 5, 7}, Data::reals, 3);
        cases.back().weight = cases.front().weight;
        cases.back().bias = cases.front().bias;
        serial.push_back(dense_copy(forward(cases.back().layer(), cases.back(), layouts[i % 2])));
    }
    // The weights of a new layer are not packed yet: all threads find that at the same time.
    std::vector<ConvTranspose3d> layers;
    layers.reserve(layer_count);
    for (int i = 0; i < layer_count; i++) {
        layers.push_back(cases.front().layer());
    }
    std::atomic<int> arrivals{0}, wrong{0};
    std::vector<std::thread> threads;
    threads.reserve(thread_count);
    for (int i = 0; i < thread_count; i++) {
        threads.emplace_back([&, i] {
            for (int l = 0; l < layer_count; l++) {
                for (arrivals++; arrivals < thread_count * (l + 1);) {
                    std::this_thread::yield();
                }
                for (int round = 0; round < 2; round++) {
                    wrong += same_bits(dense_copy(forward(layers[l], cases[i], layouts[i % 2])), serial[i]) ? 0 : 1;
                }
            }
        });
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
    CHECK(wrong == 0);
}

TEST_CASE("changed weights and biases take effect", "[state]") {
    const Case first(grouped, grouped_input, Data::integers, 1), second(grouped, grouped_input, Data::integers, 2);
    ConvTranspose3d layer = first.layer();
    CHECK(mismatch(forward(layer, first, Layout::ncdhw), first) == "none");
    layer.set_bias(second.bias.data(), layer.bias_shape());
    CHECK(layer.bias() == second.bias);
    Case mixed = first;
    mixed.expected = reference(grouped, grouped_input, first.input, first.weight, second.bias);
    CHECK(mismatch(forward(layer, mixed, Layout::ncdhw), mixed) == "none");
    layer.set_weight(second.weight.data(), layer.weight_shape());
    CHECK(layer.weight() == second.weight);
    for (Layout layout : layouts) {
        CHECK(mismatch(forward(layer, second, layout), second) == "none");
    }

    layer.reset_parameters(5);
    ConvTranspose3d fresh(grouped);
    CHECK(layer.weight() != fresh.weight());
    fresh.reset_parameters(5);
    CHECK(layer.weight() == fresh.weight());
    CHECK(layer.bias() == fresh.bias());
    CHECK(
        same_bits(dense_copy(forward(layer, first, Layout::ncdhw)), dense_copy(forward(fresh, first, Layout::ncdhw))));
}

TEST_CASE("many weights are packed by several threads", "[state]") {
    const int threads = num_threads();
    set_num_threads(3);
    // The last block of channels is not full, and the taps are not a multiple of those that are packed together.
    const ConvTranspose3dOptions layers[] = {{40, 70, {3, 4, 4}, 2, 1}, {36, 68, 3, 1, 1}, {48, 3, {7, 8, 9}, 2, 3}};
    for (const ConvTranspose3dOptions &options : layers) {
        Case c(options, {1, options.in_channels, 2, 3, 4}, Data::integers, 3);
        ConvTranspose3d layer = c.layer();
        for (Layout layout : layouts) {
            for (const Variant &v : variants_here(layout)) {
                if (takes(v, options) && takes_numbers(v, c.weight, c.input)) {
                    INFO(v.name << " of " << describe(options, c.input_shape));
                    layer.set_variant(v.name);
                    CHECK(mismatch(forward(layer, c, layout), c) == "none");
                }
            }
        }
    }
    set_num_threads(threads);
}

TEST_CASE("a new layer has the weights of seed 0", "[state]") {
    const ConvTranspose3d layer(grouped);
    ConvTranspose3d seeded(grouped);
    seeded.reset_parameters(0);
    CHECK(layer.weight() == seeded.weight());
    CHECK(layer.bias() == seeded.bias());
    seeded.reset_parameters(1);
    CHECK(layer.weight() != seeded.weight());
}

TEST_CASE("a layer without a bias adds nothing", "[state]") {
    const Case c({4, 6, 3, 2, 1, 1, 1, without_bias}, {1, 4, 2, 3, 4}, Data::integers, 1);
    const ConvTranspose3d layer = c.layer();
    CHECK(layer.bias().empty());
    CHECK(layer.bias_shape().empty());
    CHECK(mismatch(forward(layer, c, Layout::ncdhw), c) == "none");

    Case silent = c;
    std::fill(silent.input.begin(), silent.input.end(), 0.f);
    for (float value : dense_copy(forward(layer, silent, Layout::ndhwc))) {
        REQUIRE(value == 0);
    }
}

TEST_CASE("layers move", "[state]") {
    const Case c(grouped, grouped_input, Data::integers, 1), other({2, 3, 2}, {1, 2, 2, 3, 4}, Data::integers, 2);
    ConvTranspose3d original = c.layer();
    CHECK(mismatch(forward(original, c, Layout::ncdhw), c) == "none");
    ConvTranspose3d moved = std::move(original);
    CHECK(moved.options().out_channels == 40);
    CHECK(mismatch(forward(moved, c, Layout::ncdhw), c) == "none");
    original = other.layer();
    CHECK(mismatch(forward(original, other, Layout::ndhwc), other) == "none");
    original = std::move(moved);
    CHECK(mismatch(forward(original, c, Layout::ndhwc), c) == "none");
}

TEST_CASE("a forced variant stays until another is, or none", "[state]") {
    const Case c(grouped, grouped_input, Data::integers, 1);
    ConvTranspose3d layer = c.layer();
    const std::string planned = layer.plan(c.input_shape, Layout::ncdhw).variant.name;
    for (const Variant &v : variants_here(Layout::ncdhw)) {
        if (takes(v, c.options)) {
            layer.set_variant(v.name);
            CHECK(layer.plan(c.input_shape, Layout::ncdhw).variant.name == v.name);
        }
    }
    layer.set_variant("");
    CHECK(layer.plan(c.input_shape, Layout::ncdhw).variant.name == planned);
}

}  // namespace
}  // namespace unstride::tests
