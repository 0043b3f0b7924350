#include "schedules.h"

namespace unstride {

using namespace Halide;

void stage_input(Stages &s, const Var &dense, int lanes, const LoopLevel &tasks) {
    const bool dense_columns = dense.same_as(x);
    const auto insert = [](auto &to, size_t at, const auto &from) {
        to.insert(to.begin() + at, from.begin(), from.end());
    };
    std::vector<Var> storage = dense_columns ? std::vector<Var>{x, c} : std::vector<Var>{c, x};
    insert(storage, 2, s.slab_rows);

    // The copy walks as the input is in memory: in ncdhw the rows of a channel lie one after the other, in ndhwc the channels
    // of a row share cache lines.
    std::vector<VarOrRVar> loops{storage.begin(), storage.end()};
    if (!s.channels_last) {
        std::swap(loops[1], loops[2]);
    }
    std::vector<VarOrRVar> copy = loops;
    const size_t columns = dense_columns ? 0 : 1;
    copy[columns] = s.input_columns[0];
    for (int d = 1; d < s.input_columns.dimensions(); d++) {
        copy.insert(copy.begin() + columns + d, s.input_columns[d]);
    }
    s.slab.compute_at(tasks).reorder_storage(storage).reorder(loops).vectorize(loops[0], lanes, TailStrategy::GuardWithIf);
    s.slab.update().reorder(copy).vectorize(copy[0], lanes, TailStrategy::GuardWithIf);
}

}  // namespace unstride
