#ifndef UNSTRIDE_RUNTIME_PLAN_PROGRAM_CACHE_H
#define UNSTRIDE_RUNTIME_PLAN_PROGRAM_CACHE_H

#include <array>
#include <cstdint>
#include <memory>

#include "plan/program.h"
#include "problem/problem.h"
#include "process/mutex.h"

namespace unstride {

// The last programs of one layer, so that a forward like an earlier one does not plan again. Safe in several threads.
class ProgramCache {
public:
    // All that a program depends on besides the layer's options and a forced variant.
    struct Key {
        Problem problem;
        uint64_t changes;  // planning_changes, when it was planned

        bool operator==(const Key &other) const {
            return changes == other.changes && problem == other.problem;
        }
    };

    // Null if there is none.
    std::shared_ptr<const Program> find(const Key &key) const {
        const Lock lock(mutex_);
        for (const Slot &slot : slots_) {
            if (slot.program && slot.key == key) {
                return slot.program;
            }
        }
        return nullptr;
    }

    // In place of the oldest one.
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
    std::array<Slot, 4> slots_;  // an app that runs a layer over patches has a few sizes
    size_t oldest_ = 0;
};

}  // namespace unstride

#endif
