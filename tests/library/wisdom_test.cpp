// Wisdom decides which variant runs, and never changes the result.

#include <atomic>
#include <cmath>
#include <functional>
#include <thread>

#include "support/catch_compat.h"
#include "support/errors.h"
#include "support/harness.h"
#include "support/some_wisdom.h"

namespace unstride::tests {
namespace {

int another(int threads) {
    return threads == 1 ? 2 : threads - 1;
}

TEST_CASE("wisdom decides what runs, and not what comes out", "[wisdom]") {
    const NoWisdom none;
    const Case c(grouped, input_shape, Data::reals, 3);
    const ConvTranspose3d layer = c.layer();
    for (Layout layout : layouts) {
        const Plan estimated = layer.plan(input_shape, layout);
        const std::vector<float> expected = dense_copy(forward(layer, c, layout));
        CHECK_FALSE(estimated.measured);
        for (const Variant &v : candidates(grouped, layout)) {
            for (int64_t rows : {int64_t{1}, int64_t{4}, int64_t{10}}) {
                add_wisdom(entry_for(v, rows));
                const Plan plan = layer.plan(input_shape, layout);
                CHECK(plan.variant.name == v.name);
                CHECK(plan.rows_per_task == rows);
                CHECK(plan.tasks % ((10 + rows - 1) / rows) == 0);
                CHECK(plan.measured);
                CHECK(plan.expected_seconds == 1.5e-3);
                CHECK(plan.reason == "measured fastest of 7 candidates, as wisdom tells: 1500 us");
                CHECK(same_bits(dense_copy(forward(layer, c, layout)), expected));
            }
        }
        forget_wisdom();
        CHECK(layer.plan(input_shape, layout).variant.name == estimated.variant.name);
        CHECK(layer.plan(input_shape, layout).rows_per_task == estimated.rows_per_task);
        CHECK(layer.plan(input_shape, layout).reason == estimated.reason);
    }
}

TEST_CASE("wisdom is for one geometry and number of threads", "[wisdom]") {
    const NoWisdom none;
    const int threads = num_threads();
    const ConvTranspose3dOptions options{6, 4, {2, 3, 3}, 2, 1, 0, 2, with_bias, {1, 1, 3}};
    const Shape input{2, 6, 3, 4, 5};
    add_wisdom(entry_for(candidates(options, Layout::ndhwc).front(), 2, options, input));
    const auto applies = [](const ConvTranspose3dOptions &o, const Shape &shape, Layout layout = Layout::ndhwc,
                            const Shape &size = {}) { return ConvTranspose3d(o).plan(shape, layout, size).measured; };
    CHECK(applies(options, input));
    CHECK(applies(options, input, Layout::ndhwc, ConvTranspose3d(options).output_shape(input)));
    CHECK_FALSE(applies(options, input, Layout::ncdhw));
    CHECK_FALSE(applies(options, input, Layout::ndhwc, {4, 8, 14}));
    for (const Shape &other :
         {Shape{1, 6, 3, 4, 5}, Shape{2, 6, 4, 4, 5}, Shape{2, 6, 3, 5, 5}, Shape{2, 6, 3, 4, 6}, Shape{6, 3, 4, 5}}) {
        CHECK_FALSE(applies(options, other));
    }
    const auto changed = [&](const std::function<void(ConvTranspose3dOptions &)> &change) {
        ConvTranspose3dOptions result = options;
        change(result);
        return result;
    };
    CHECK(applies(changed([](auto &o) { o.bias = false; }), input));
    CHECK_FALSE(applies(changed([](auto &o) { o.out_channels = 6; }), input));
    CHECK_FALSE(applies(changed([](auto &o) { o.groups = 1; }), input));
    CHECK_FALSE(applies(changed([](auto &o) { o.kernel_size = {3, 3, 3}; }), input));
    CHECK_FALSE(applies(changed([](auto &o) { o.stride = {1, 2, 2}; }), input));
    CHECK_FALSE(applies(changed([](auto &o) { o.padding = {0, 1, 1}; }), input));
    CHECK_FALSE(applies(changed([](auto &o) { o.output_padding = {0, 0, 1}; }), input));
    CHECK_FALSE(applies(changed([](auto &o) { o.padding_end = {1, 1, 2}; }), input));
    CHECK(applies(changed([](auto &o) {
                      o.padding_end = {2, 1, 1}, o.output_padding = {1, 0, 0};
                  }),
                  input));  // This is the same computation.
    CHECK_FALSE(applies(changed([](auto &o) { o.dilation = {1, 1, 4}; }), input));

    set_num_threads(another(threads));
    CHECK_FALSE(applies(options, input));
    set_num_threads(threads);
    CHECK(applies(options, input));
}

TEST_CASE("wisdom of a single long row, which is cut into rows", "[wisdom]") {
    const NoWisdom none;
    const ConvTranspose1d layer(16, 16, 4, 2);
    WisdomEntry entry;
    entry.options = layer.ConvTranspose::options();
    entry.input_shape = {1, 16, 1, 1, 2000};
    entry.threads = num_threads();
    entry.variant = layer.plan({1, 16, 2000}, Layout::ncdhw).variant.name;
    entry.rows_per_task = 2;
    entry.seconds = 1e-3;
    add_wisdom(entry);
    const std::string text = wisdom_text();
    forget_wisdom();
    CHECK(read_wisdom(text).entries == 1);
    CHECK(layer.plan({1, 16, 2000}, Layout::ncdhw).measured);
    CHECK(layer.plan({1, 16, 2000}, Layout::ncdhw).rows_per_task == 2);
    entry.rows_per_task = 2000;
    CHECK_THROWS_AS(add_wisdom(entry), InvalidArgument);
}

TEST_CASE("a forced variant wins over wisdom", "[wisdom]") {
    const NoWisdom none;
    const std::vector<Variant> all = candidates(grouped, Layout::ncdhw);
    ConvTranspose3d layer(grouped);
    add_wisdom(entry_for(all.front()));
    layer.set_variant(all.back().name);
    CHECK(layer.plan(input_shape, Layout::ncdhw).variant.name == all.back().name);
    CHECK_FALSE(layer.plan(input_shape, Layout::ncdhw).measured);
    layer.set_variant(all.back().name, 4);
    CHECK(layer.plan(input_shape, Layout::ncdhw).rows_per_task == 4);
    layer.set_variant(all.back().name, 1000);  // These are more rows than there are.
    CHECK(layer.plan(input_shape, Layout::ncdhw).rows_per_task == 10);
    layer.set_variant("");
    CHECK(layer.plan(input_shape, Layout::ncdhw).variant.name == all.front().name);
    CHECK(layer.plan(input_shape, Layout::ncdhw).rows_per_task == 3);
    CHECK_THROWS_AS(layer.set_variant(all.front().name, -1), InvalidArgument);
    CHECK_THROWS_AS(layer.set_variant("", 1), InvalidArgument);
}

TEST_CASE("a layer plans anew when something has changed", "[wisdom]") {
    const NoWisdom none;
    const int threads = num_threads();
    const Case c(grouped, input_shape, Data::integers, 3);
    ConvTranspose3d layer = c.layer();
    const std::vector<Variant> all = candidates(grouped, Layout::ncdhw);
    const auto ran = [&] {
        CHECK(mismatch(forward(layer, c, Layout::ncdhw), c) == "none");
        return layer.plan(input_shape, Layout::ncdhw);
    };
    const std::string estimated = ran().variant.name;
    for (const Variant &v : all) {
        add_wisdom(entry_for(v));
        CHECK(ran().variant.name == v.name);
        layer.set_variant(all.front().name);
        CHECK(ran().variant.name == all.front().name);
        layer.set_variant("");
        CHECK(ran().variant.name == v.name);
        const std::string text = wisdom_text();
        forget_wisdom();
        CHECK(ran().variant.name == estimated);
        read_wisdom(text);
        CHECK(ran().variant.name == v.name);
        set_num_threads(another(threads));
        CHECK(ran().threads == another(threads));
        CHECK_FALSE(ran().measured);
        set_num_threads(threads);
    }
    // There are more inputs than a layer keeps plans for, which take turns.
    for (int round = 0; round < 3; round++) {
        for (int64_t size = 1; size <= 12; size++) {
            for (Layout layout : layouts) {
                const Shape shape{size, 16, 4, size, 11};
                const Plan again = layer.plan(shape, layout), fresh = ConvTranspose3d(grouped).plan(shape, layout);
                CHECK(again.variant.name == fresh.variant.name);
                CHECK(again.rows_per_task == fresh.rows_per_task);
                CHECK(again.tasks == fresh.tasks);
            }
        }
    }
}

TEST_CASE("winners that cannot be", "[wisdom]") {
    const NoWisdom none;
    const Variant v = candidates(grouped, Layout::ncdhw).front();
    const auto refused = [&](const std::function<void(WisdomEntry &)> &change) {
        WisdomEntry entry = entry_for(v);
        change(entry);
        return error_of<InvalidArgument>([&] { add_wisdom(entry); });
    };
    CHECK(refused([](WisdomEntry &) {}) == "no error");
    forget_wisdom();
    CHECK(refused([](WisdomEntry &e) { e.variant = ""; }) == "this build has no variant ");
    CHECK(refused([](WisdomEntry &e) { e.layout = Layout::ndhwc; }) == "variant " + v.name + " is for layout ncdhw");
    CHECK(refused([](WisdomEntry &e) { e.threads = 0; }) != "no error");
    CHECK(refused([](WisdomEntry &e) { e.rows_per_task = 0; }) != "no error");
    CHECK(refused([](WisdomEntry &e) { e.rows_per_task = 11; }) != "no error");
    CHECK(refused([](WisdomEntry &e) { e.seconds = 0; }) != "no error");
    CHECK(refused([](WisdomEntry &e) { e.seconds = std::nan(""); }) != "no error");
    CHECK(refused([](WisdomEntry &e) { e.candidates = 0; }) != "no error");
    CHECK(refused([](WisdomEntry &e) { e.input_shape = {1}; }) != "no error");
    CHECK(refused([](WisdomEntry &e) { e.output_size = {1, 2, 3}; }) != "no error");
    CHECK(refused([](WisdomEntry &e) { e.options.groups = 3; }) != "no error");
    for (const Variant &other : variants()) {
        if (other.layout == v.layout && (!other.runs_here() || !takes(other, grouped) ||
                                         instruction_set(other.isa).fma != instruction_set(v.isa).fma)) {
            CHECK(refused([&](WisdomEntry &e) { e.variant = other.name; }).find("variant " + other.name) == 0);
        }
    }
    CHECK(wisdom_text() == "unstride wisdom 1\n");
}

TEST_CASE("threads run layers while others change the wisdom", "[wisdom][threads]") {
    const NoWisdom none;
    const std::string text = some_wisdom();
    const Case c(grouped, input_shape, Data::reals, 3);
    const ConvTranspose3d layer = c.layer();
    const std::vector<float> expected = dense_copy(forward(layer, c, Layout::ncdhw));
    std::atomic<int> wrong{0}, running{3};
    std::vector<std::thread> threads;
    threads.reserve(5);
    for (int t = 0; t < 3; t++) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < 40; i++) {
                wrong += same_bits(dense_copy(forward(layer, c, layouts[(i + t) % 2])), expected) ? 0 : 1;
                layer.plan(input_shape, layouts[i % 2]);
            }
            running--;
        });
    }
    for (Layout layout : layouts) {
        threads.emplace_back([&, layout] {
            const std::vector<Variant> all = candidates(grouped, layout);
            for (size_t i = 0; running > 0; i++) {
                add_wisdom(entry_for(all[i % all.size()], 1 + static_cast<int64_t>(i % 10)));
                wrong += read_wisdom(text).entries == 4 ? 0 : 1;
                wrong += wisdom_text().empty() ? 1 : 0;
                i % 5 == 0 ? forget_wisdom() : void();
            }
        });
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
    CHECK(wrong == 0);
}

}  // namespace
}  // namespace unstride::tests
