#ifndef UNSTRIDE_RUNTIME_PLAN_PROGRAM_CACHE_H
#define UNSTRIDE_RUNTIME_PLAN_PROGRAM_CACHE_H

#include <array>
#include <cstdint>
#include <memory>

#include "plan/program.h"
#include "problem/problem.h"
#include "process/mutex.h"

namespace unstride {

// Keeps the last programs of one layer, so that a forward like an earlier one need not be planned again. Several
// threads may use it at the same time.
class ProgramCache {
public:
    // All that a program depends on, except the layer's options and a forced variant, which are the same for all
    // programs of one cache.
    struct Key {
        Problem problem;
        uint64_t changes;  // the value of planning_changes when the program was planned

        bool operator==(const Key &other) const {
            return changes == other.changes && problem == other.problem;
        }
    };

    // Returns the program that was kept for a key; null if there is none.
    std::shared_ptr<const Program> find(const Key &key) const {
        const Lock lock(mutex_);
        for (const Slot &slot : slots_) {
            if (slot.program && slot.key == key) {
                return slot.program;
            }
        }
        return nullptr;
    }

    // Keeps a program in place of the oldest one.
    void insert(const Key &key, std::shared_ptr<const Program> program) {
        const Lock lock(mutex_);
        slots_[oldest_] = {key, std::move(program)};
        oldest_ = (oldest_ + 1) % slots_.size();
    }

    void clear() {
        const Lock lock(mutex_);
        slots_ = {};
    }

private:
    struct Slot {
        Key key{};
        std::shared_ptr<const Program> program;
    };
    mutable Mutex mutex_;
    std::array<Slot, 4> slots_;  // room for the few sizes of input that an app has which runs a layer over patches
    size_t oldest_ = 0;
};

}  // namespace unstride

#endif
