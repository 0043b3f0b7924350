#ifndef UNSTRIDE_RUNTIME_PLAN_PLAN_CACHE_H
#define UNSTRIDE_RUNTIME_PLAN_PLAN_CACHE_H

#include <array>
#include <cstdint>
#include <memory>

#include "plan/planner.h"
#include "problem/geometry.h"
#include "process/mutex.h"

namespace unstride {

// The last decisions of one layer, so that a forward like an earlier one does not plan again. Safe in several threads.
class PlanCache {
public:
    // All that a decision depends on besides the layer's options and a forced variant: of this machine, what may
    // change.
    using Key = std::array<int64_t, 14>;
    static Key key(const Geometry &geometry, Layout layout, const Types &types, const Conditions &conditions,
                   int workers, int isa_rank, uint64_t wisdom_generation) {
        const auto &[z, y, x] = geometry.extent;
        const int met = (conditions.moderate ? 1 : 0) + (conditions.aligned ? 2 : 0) + (conditions.in_bf16 ? 4 : 0);
        return {geometry.batch,
                z.input,
                y.input,
                x.input,
                z.output,
                y.output,
                x.output,
                static_cast<int64_t>(layout),
                static_cast<int64_t>(types.input),
                static_cast<int64_t>(types.output),
                met,
                workers,
                isa_rank,
                static_cast<int64_t>(wisdom_generation)};
    }

    // Null if there is none.
    std::shared_ptr<const Decision> find(const Key &key) const {
        const Lock lock(mutex_);
        for (const Slot &slot : slots_) {
            if (slot.decision && slot.key == key) {
                return slot.decision;
            }
        }
        return nullptr;
    }

    // In place of the oldest one.
    void insert(const Key &key, std::shared_ptr<const Decision> decision) {
        const Lock lock(mutex_);
        slots_[oldest_] = {key, std::move(decision)};
        oldest_ = (oldest_ + 1) % slots_.size();
    }

    void clear() {
        const Lock lock(mutex_);
        slots_ = {};
    }

private:
    struct Slot {
        Key key{};
        std::shared_ptr<const Decision> decision;
    };
    mutable Mutex mutex_;
    std::array<Slot, 4> slots_;  // an app that runs a layer over patches has a few sizes
    size_t oldest_ = 0;
};

}  // namespace unstride

#endif
