#ifndef UNSTRIDE_RUNTIME_PLAN_PROGRAM_CACHE_H
#define UNSTRIDE_RUNTIME_PLAN_PROGRAM_CACHE_H

#include <cstdint>
#include <memory>
#include <vector>

#include "plan/program.h"
#include "plan/trials.h"
#include "problem/problem.h"
#include "process/mutex.h"

namespace unstride {

// How a problem is computed.
struct Planned {
    std::shared_ptr<const Program> program;  // null if that was not planned yet
    std::shared_ptr<Trials> trials;          // those that `program` is the planner's choice for; null if there are none
};

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

    // Returns what was kept for a key; no program if nothing was.
    Planned find(const Key &key) const {
        const Lock lock(mutex_);
        const Slot *slot = find_slot(key);
        return slot != nullptr ? slot->planned : Planned();
    }

    // Keeps a program and its trials, in place of the oldest ones if there is no room. Returns what is kept, which is
    // what another thread has brought meanwhile, if one has.
    Planned insert(const Key &key, Planned planned) {
        const Lock lock(mutex_);
        if (const Slot *slot = find_slot(key); slot != nullptr) {
            return slot->planned;
        }
        if (slots_.size() < most_slots) {
            slots_.push_back({key, planned});
        } else {
            slots_[oldest_] = {key, planned};
            oldest_ = (oldest_ + 1) % most_slots;
        }
        return planned;
    }

    // Keeps the winner of trials in place of the trials, if these are still kept.
    void settle(const Trials &trials, const std::shared_ptr<const Program> &winner) {
        const Lock lock(mutex_);
        for (Slot &slot : slots_) {
            if (slot.planned.trials.get() == &trials) {
                slot.planned = {winner, nullptr};
            }
        }
    }

    void clear() {
        const Lock lock(mutex_);
        slots_.clear();
        oldest_ = 0;
    }

private:
    struct Slot {
        Key key;
        Planned planned;
    };

    // Room for the sizes of input that an app has which runs a layer over patches. The trials of each go on only as
    // long as it has a place.
    static constexpr size_t most_slots = 16;

    // Returns the slot of a key; null if there is none. The caller holds the lock.
    const Slot *find_slot(const Key &key) const {
        for (const Slot &slot : slots_) {
            if (slot.key == key) {
                return &slot;
            }
        }
        return nullptr;
    }

    mutable Mutex mutex_;
    std::vector<Slot> slots_;
    size_t oldest_ = 0;
};

}  // namespace unstride

#endif
