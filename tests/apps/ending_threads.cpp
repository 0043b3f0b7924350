// Threads that compute once and end, while other threads wait in the library: for helpers, or for weights that one of
// the threads packs which is about to end.
//
//     ending_threads returns|exits|computes      how threads end: computes does so in a destructor, at the very end

#include <pthread.h>

#include <atomic>
#include <string>
#include <vector>

#include "app.h"

namespace {

using namespace unstride;

constexpr int generations = 60;
constexpr size_t threads_at_once = 3;

enum class End { returns, exits, computes };

// What the threads of a generation share. None of them has packed the weights yet.
struct Generation {
    const ConvTranspose3d &layer;
    const Tensor &input, &expected;
    End end;
    std::atomic<int> wrong{0};

    void compute() {
        wrong += apps::run([&] { return apps::same_bits(layer.forward(input.view()), expected) ? 0 : 1; });
    }
};

// Made before the library keeps anything for its thread, and therefore destroyed later than that.
struct AtEnd {
    Generation *generation = nullptr;

    ~AtEnd() {
        if (generation != nullptr) {
            generation->compute();
        }
    }
};

thread_local AtEnd at_end;

void *compute_and_end(void *given) {
    auto &generation = *static_cast<Generation *>(given);
    at_end.generation = generation.end == End::computes ? &generation : nullptr;
    generation.compute();
    if (generation.end == End::exits) {
        pthread_exit(nullptr);
    }
    return nullptr;
}

int check(End end) {
    set_num_threads(3);
    const apps::Work rows = apps::shared_by_rows(), items = apps::shared_by_items();
    ConvTranspose3d layer(16, 16, 2, 2);
    const std::vector<float> weight = layer.weight();
    const Tensor input = apps::make_input({4, 16, 3, 6, 12}), expected = layer.forward(input.view());
    for (int i = 0; i < generations; i++) {
        layer.set_weight(weight.data(), layer.weight_shape());
        Generation generation{layer, input, expected, end};
        std::vector<pthread_t> threads(threads_at_once);
        for (pthread_t &thread : threads) {
            if (pthread_create(&thread, nullptr, compute_and_end, &generation) != 0) {
                return apps::failure("a thread does not start");
            }
        }
        generation.compute();
        const bool right = rows.is_right() && items.is_right();
        for (const pthread_t thread : threads) {
            pthread_join(thread, nullptr);
        }
        if (!right || generation.wrong != 0) {
            return apps::failure("a result is wrong where threads end");
        }
    }
    return 0;
}

}  // namespace

int main(int argc, char **argv) {
    const std::string how = argc == 2 ? argv[1] : "";
    return apps::run([&] {
        if (how == "computes") {
            return check(End::computes);
        }
        return check(how == "exits" ? End::exits : End::returns);
    });
}
