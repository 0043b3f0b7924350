// Children of a process that has computed with several threads. Each has to compute the same, and to end.
//
//     forked computes|exits|computes_and_exits|threads|busy

#include <atomic>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "app.h"
#include "children.h"

namespace {

using namespace unstride;

bool all_right(const apps::Work &rows, const apps::Work &items) {
    return rows.is_right() && items.is_right();
}

// Computes in several threads of the child at once.
bool all_right_in_threads(const apps::Work &rows, const apps::Work &items) {
    std::atomic<int> wrong{0};
    constexpr int count = 6;
    std::vector<std::thread> threads;
    threads.reserve(count);
    for (int t = 0; t < count; t++) {
        threads.emplace_back([&] {
            for (int i = 0; i < 20; i++) {
                wrong += !all_right(rows, items);
            }
        });
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
    return wrong == 0;
}

int run_children(const std::string &mode) {
    set_num_threads(4);
    const apps::Work rows = apps::shared_by_rows(), items = apps::shared_by_items();
    const std::map<std::string, std::function<int()>> children = {
        {"computes", [&] { return all_right(rows, items) ? 0 : 1; }},
        {"exits",
         [&] {
             std::exit(0);
             return 0;
         }},
        {"computes_and_exits",
         [&] {
             std::exit(all_right(rows, items) ? 0 : 1);
             return 0;
         }},
        {"threads", [&] { return all_right_in_threads(rows, items) ? 0 : 1; }},
        {"busy", [&] { return all_right(rows, items) ? 0 : 1; }},
    };
    const bool busy = mode == "busy";
    std::atomic<bool> stop{false};
    std::atomic<int> wrong{0};
    std::thread other;
    if (busy) {
        other = std::thread([&] {
            while (!stop) {
                wrong += !all_right(rows, items);
            }
        });
    }
    bool succeed = true;
    for (int i = 0; i < (busy ? 100 : 3) && succeed; i++) {
        succeed = apps::child_succeeds(children.at(mode)) && all_right(rows, items);
    }
    stop = true;
    if (busy) {
        other.join();
    }
    return apps::status(succeed && wrong == 0, "a child failed, or its parent after it");
}

}  // namespace

int main(int argc, char **argv) {
    return apps::run([&] { return run_children(argc == 2 ? argv[1] : ""); });
}
