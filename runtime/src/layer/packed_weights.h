#ifndef UNSTRIDE_RUNTIME_LAYER_PACKED_WEIGHTS_H
#define UNSTRIDE_RUNTIME_LAYER_PACKED_WEIGHTS_H

#include <map>
#include <memory>
#include <tuple>
#include <vector>

#include "kernels/panels.h"
#include "plan/program.h"
#include "process/mutex.h"

namespace unstride {

// A layer's weights in the forms that its kernels read. Each form is packed when it is first needed.
class PackedWeights {
public:
    // Returns the weights that a part of a problem's program reads, on a GPU in the memory of the stream's context.
    // Several threads may call this at once. Throws OutOfMemory.
    std::shared_ptr<const std::vector<Panels>> find_or_pack(const Part &part, const Problem &problem,
                                                            const Parameters &parameters, const Stream &stream);

    // Forgets the weights that only programs beside `kept` read, of those that were tried for the same problem. Where
    // another problem needs them, they are packed again.
    void forget_others(const Problem &problem, const Programs &tried, const Program &kept, const Stream &stream);

    // Forgets all packed weights, because the parameters have changed. No call may be under way. The memory of those
    // that were needed since the last change is kept for the new ones, as layers that are trained change with each
    // step: new memory would take longer than to pack.
    void clear();

private:
    // All that packed weights depend on. Kernels share them if they have the same block and get at their sums in the
    // same way, and the input's size does not matter.
    struct Key {
        WeightOrder order;
        Sums sums;
        DType type;
        int64_t groups, block, first_channel, channels;
        Device device;
        const void *context;  // the stream's context

        auto all() const {
            return std::tie(order, sums, type, groups, block, first_channel, channels, device, context);
        }
        bool operator<(const Key &other) const {
            return all() < other.all();
        }
    };

    static Key key_of(const Part &part, const Problem &problem, const Stream &stream);

    Mutex mutex_;
    std::map<Key, std::shared_ptr<std::vector<Panels>>> packed_, outdated_;
};

}  // namespace unstride

#endif
