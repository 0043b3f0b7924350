// Calls run in the threads that their options ask for.

#include <atomic>
#include <cfenv>
#include <thread>

#include "c_support.h"
#include "support/catch_compat.h"

namespace unstride::tests {
namespace {

std::atomic<int> calls, most;

// Runs a share in new threads, whose floating-point environment rounds otherwise than the caller's.
void run_in_new_threads(int32_t count, void (*share)(void *closure), void *closure) {
    calls++;
    most = std::max(most.load(), count);
    std::vector<std::thread> threads;
    for (int32_t i = 1; i < count; i++) {
        threads.emplace_back([&] {
            std::fesetround(FE_DOWNWARD);
            share(closure);
            if (std::fegetround() != FE_DOWNWARD) {
                most = -1;
            }
        });
    }
    share(closure);
    for (std::thread &thread : threads) {
        thread.join();
    }
}

unstride_call_options in_new_threads(int32_t threads) {
    unstride_call_options options{};
    options.size = sizeof options;
    options.run_in_threads = run_in_new_threads;
    options.threads = threads;
    return options;
}

TEST_CASE("calls of the C API run in the app's threads, with the same bits", "[c]") {
    const Layer layer = make_layer(options_for({8, 8, {1, 4, 4}, {1, 2, 2}, {0, 1, 1}}, 2));
    OwnArray<float> input(UNSTRIDE_F32, {2, 8, 40, 40}), grad_input(UNSTRIDE_F32, {2, 8, 40, 40});
    OwnArray<float> output(UNSTRIDE_F32, {2, 8, 80, 80}), grad_weight(UNSTRIDE_F32, {8, 8, 4, 4}),
        grad_bias(UNSTRIDE_F32, {8});
    for (size_t i = 0; i < input.values.size(); i++) {
        input.values[i] = 1.F / static_cast<float>(i % 97 + 3);
    }
    const auto run = [&](const unstride_call_options *options) {
        CHECK(said(unstride_layer_forward(layer.get(), &input.array, &output.array, nullptr, options)) == "ok");
        CHECK(said(unstride_layer_input_gradient(layer.get(), &output.array, &grad_input.array, UNSTRIDE_REPLACE,
                                                 options)) == "ok");
        CHECK(said(unstride_layer_weight_gradient(layer.get(), &input.array, &output.array, &grad_weight.array,
                                                  UNSTRIDE_REPLACE, options)) == "ok");
        CHECK(said(unstride_layer_bias_gradient(layer.get(), &output.array, &grad_bias.array, UNSTRIDE_REPLACE,
                                                options)) == "ok");
        return std::vector{output.values, grad_input.values, grad_weight.values, grad_bias.values};
    };
    const auto expected = run(nullptr);
    for (int32_t threads : {1, 2, 5}) {
        calls = 0;
        most = 0;
        const unstride_call_options options = in_new_threads(threads);
        CHECK(run(&options) == expected);
        CHECK(most == (threads > 1 ? threads : 0));
        CHECK((calls > 0) == (threads > 1));
    }
}

TEST_CASE("the C API refuses numbers of threads that no call can have", "[c]") {
    const Layer layer = make_layer(options_for({1, 1, {1, 1, 2}, {1, 1, 2}}, 1));
    OwnArray<float> input(UNSTRIDE_F32, {1, 1, 3}), output(UNSTRIDE_F32, {1, 1, 6});
    for (int32_t threads : {-1, 257}) {
        const unstride_call_options options = in_new_threads(threads);
        CHECK(said(unstride_layer_forward(layer.get(), &input.array, &output.array, nullptr, &options)) ==
              "invalid argument: the number of threads must be from 1 to 256, but got " + std::to_string(threads));
    }
    unstride_call_options options = in_new_threads(1);
    options.reserved = 1;
    CHECK(said(unstride_layer_forward(layer.get(), &input.array, &output.array, nullptr, &options)) ==
          "invalid argument: reserved must be 0, but is 1");
}

}  // namespace
}  // namespace unstride::tests
