#include "kernels/boxes.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "problem/checked.h"

namespace unstride {
namespace {

// Returns how many times as long the threads take as if they shared all work evenly, at least 1.
double imbalance(int64_t tasks, int threads) {
    return as_double(divide_up(tasks, threads) * threads) / as_double(tasks);
}

// Returns `all`, a half of it, a quarter of it and so on down to 1, each rounded up.
std::vector<int64_t> halves(int64_t all) {
    std::vector<int64_t> result;
    for (; all > 1; all = (all + 1) / 2) {
        result.push_back(all);
    }
    result.push_back(1);
    return result;
}

}  // namespace

Split best_boxes(const Boxes &all, int64_t rows, int threads, const BoxCost &cost) {
    constexpr int64_t most_bytes = 4 << 20;  // scratch memory of a thread, unless the smallest task needs more
    constexpr double cycles_of_task = 3000;
    const int64_t items = std::max<int64_t>(all.batch, 1);
    Split best{};
    double least = std::numeric_limits<double>::infinity();
    const auto consider = [&](Split split) {
        const int64_t inner =
            divide_up(all.slices, split.slices) * divide_up(all.rows, split.rows) * divide_up(all.blocks, split.blocks);
        const int64_t outer = all.groups * divide_up(items, split.items);
        const double by_items = imbalance(outer, threads), by_tasks = imbalance(inner, threads);
        split.tasks = all.batch > 0 ? inner * outer * all.calls : 0;
        split.share_items = by_items <= by_tasks;
        const double cycles =
            (cost.cycles(split) + as_double(split.tasks) * cycles_of_task) * std::min(by_items, by_tasks);
        if (cycles < least) {
            best = split;
            least = cycles;
        }
    };
    const std::vector<int64_t> all_slices = halves(all.slices), all_items = halves(items),
                               all_blocks = halves(all.blocks);
    for (const int64_t r : rows == 0 ? halves(all.rows) : std::vector<int64_t>{std::min(rows, all.rows)}) {
        const int64_t least_rows = rows == 0 ? 1 : r;
        for (const int64_t s : all_slices) {
            for (const int64_t i : all_items) {
                const bool is_smallest = r == least_rows && s == 1 && i == 1;
                if (!is_smallest && cost.scratch_bytes({r, s, i, 1}) > most_bytes) {
                    continue;
                }
                for (const int64_t b : all_blocks) {
                    consider({r, s, i, b});
                }
            }
        }
    }
    return best;
}

TaskBox best_box(const TaskBox &all, int64_t rows, const std::function<bool(const TaskBox &)> &fits,
                 const std::function<double(const TaskBox &)> &cost) {
    const std::vector<int64_t> choices = rows == 0 ? halves(all.rows) : std::vector<int64_t>{std::min(rows, all.rows)};
    TaskBox best{choices.back(), 1};
    double least = std::numeric_limits<double>::infinity();
    for (const int64_t rows_of_box : choices) {
        for (TaskBox box{rows_of_box, 1}; box.slices <= all.slices && fits(box); box.slices *= 2) {
            const double cycles = cost(box);
            if (cycles < least) {
                least = cycles;
                best = box;
            }
        }
    }
    return best;
}

}  // namespace unstride
