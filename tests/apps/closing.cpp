// Processes that end by exit() while threads compute: they have to end with its status, and neither crash nor hang.
//
//     closing main|thread      who calls exit(), beside a thread that computes

#include <atomic>
#include <cstdlib>
#include <string>
#include <thread>

#include "app.h"
#include "children.h"

namespace {

using namespace unstride;

constexpr int times = 20;

// Computes to the end of the process, which destroys none of what this uses.
[[noreturn]] void compute(std::atomic<int> &forwards) {
    const apps::Work &rows = *new apps::Work(apps::shared_by_rows()), &items = *new apps::Work(apps::shared_by_items());
    while (true) {
        if (!rows.is_right() || !items.is_right()) {
            std::_Exit(apps::failure("a forward while the process ends has another result"));
        }
        forwards++;
    }
}

void wait_for(const std::atomic<int> &forwards) {
    while (forwards < 2) {
        std::this_thread::yield();
    }
}

int end_in_main() {
    static std::atomic<int> forwards{0};
    std::thread(compute, std::ref(forwards)).detach();
    wait_for(forwards);
    std::exit(0);
}

int end_in_thread() {
    static std::atomic<int> forwards{0};
    std::thread([] {
        wait_for(forwards);
        std::exit(0);
    }).detach();
    compute(forwards);
}

}  // namespace

int main(int argc, char **argv) {
    const std::string who = argc == 2 ? argv[1] : "";
    return apps::run([&] {
        for (int i = 0; i < times; i++) {
            const auto child = [&] {
                set_num_threads(4);
                return who == "main" ? end_in_main() : end_in_thread();
            };
            if (!apps::child_succeeds(child)) {
                return 1;
            }
        }
        return 0;
    });
}
