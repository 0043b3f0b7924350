#include "layer/packed_weights.h"

#include <iterator>
#include <new>
#include <set>
#include <utility>

#include "process/float_environment.h"
#include "unstride/error.h"

namespace unstride {

namespace {

WeightOrder order_of(const Problem &problem) {
    if (problem.op != Operator::input_gradient) {
        return WeightOrder::as_they_are;
    }
    return problem.by_forward ? WeightOrder::reversed : WeightOrder::exchanged;
}

}  // namespace

PackedWeights::Key PackedWeights::key_of(const Part &part, const Problem &problem, const Stream &stream) {
    const Entry &entry = *part.entry;
    return {order_of(problem),   entry.facts->sums,   entry.variant.types.sums(),
            part.seen.groups,    entry.variant.block, part.channels.first,
            part.channels.count, stream.device,       stream.context};
}

std::shared_ptr<const std::vector<Panels>> PackedWeights::find_or_pack(const Part &part, const Problem &problem,
                                                                       const Parameters &parameters,
                                                                       const Stream &stream) {
    const Entry &entry = *part.entry;
    const Lock lock(mutex_);
    try {
        const Key key = key_of(part, problem, stream);
        std::shared_ptr<std::vector<Panels>> &packed = packed_[key];
        if (!packed) {
            const DefaultFloatEnvironment environment;
            const Geometry &geometry = problem.geometry, of_part = geometry_of(part, geometry);
            const auto outdated = outdated_.extract(key);
            packed = std::make_shared<std::vector<Panels>>(
                stream.device == Device::cpu
                    ? pack(of_part, entry, part.channels.first, geometry.channels.outputs, parameters,
                           order_of(problem), outdated ? std::move(*outdated.mapped()) : std::vector<Panels>())
                    : pack(stream, of_part, entry, parameters, order_of(problem)));
        }
        return packed;
    } catch (const std::bad_alloc &) {
        throw OutOfMemory("out of memory: could not keep the packed weights");
    }
}

void PackedWeights::clear() {
    const Lock lock(mutex_);
    outdated_ = std::exchange(packed_, {});
    for (auto each = outdated_.begin(); each != outdated_.end();) {
        const bool is_on_gpu = each->first.device != Device::cpu;
        each = !each->second || is_on_gpu ? outdated_.erase(each) : std::next(each);
    }
}

void PackedWeights::forget_others(const Problem &problem, const Programs &tried, const Program &kept,
                                  const Stream &stream) {
    std::set<Key> needed;
    for (const Part &part : kept.parts) {
        needed.insert(key_of(part, problem, stream));
    }
    const Lock lock(mutex_);
    for (const std::shared_ptr<const Program> &program : tried) {
        for (const Part &part : program->parts) {
            if (const Key key = key_of(part, problem, stream); needed.count(key) == 0) {
                packed_.erase(key);
            }
        }
    }
}

}  // namespace unstride
