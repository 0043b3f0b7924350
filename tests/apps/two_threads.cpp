// Two threads with a layer each, while a third one sets the number of threads: each result is that of the layer alone,
// bit for bit.

#include <atomic>
#include <chrono>
#include <thread>

#include "app.h"

namespace {

using namespace unstride;

constexpr int times = 500;  // Each layer computes at least so often, and goes on while the other one does.

struct Thread {
    const apps::Work work;
    std::atomic<int> forwards{0};
    int wrong = 0;

    void compute_beside(const Thread &other) {
        while (forwards < times || other.forwards < times) {
            wrong += apps::run([&] { return work.is_right() ? 0 : 1; });
            forwards++;
        }
    }
};

int check() {
    set_num_threads(4);
    Thread rows{apps::shared_by_rows()}, items{apps::shared_by_items()};
    std::thread first([&] { rows.compute_beside(items); }), second([&] { items.compute_beside(rows); });
    for (int i = 0; rows.forwards < times || items.forwards < times; i++) {
        set_num_threads(i % 4 + 1);
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    first.join();
    second.join();
    return apps::status(rows.wrong == 0, "results of the layer that is shared by rows are wrong") +
           apps::status(items.wrong == 0, "results of the layer that is shared by items are wrong");
}

}  // namespace

int main() {
    return apps::run(check);
}
