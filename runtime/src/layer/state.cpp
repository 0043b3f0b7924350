#include "layer/state.h"

#include "array/scan.h"
#include "checks/checks.h"
#include "device/machine.h"
#include "kernels/calls.h"
#include "plan/wisdom.h"
#include "problem/views.h"
#include "process/float_environment.h"

namespace unstride {

Shape shape_of_output(const Geometry &geometry, size_t rank, int spatial) {
    Shape shape;
    if (channel_dimension(rank, spatial) == 1) {
        shape.push_back(geometry.batch);
    }
    shape.push_back(geometry.channels.groups * geometry.channels.outputs);
    for (int d = 3 - spatial; d < 3; d++) {
        shape.push_back(geometry.extent[d].output);
    }
    return shape;
}

std::shared_ptr<const std::vector<Panels>> ConvTranspose::State::panels(const Geometry &geometry, const Part &part,
                                                                        const Stream &stream) const {
    const Variant &variant = part.entry->variant;
    const Geometry of_part = part_of(geometry, part);
    const Lock lock(mutex);
    try {
        const int64_t all_outputs = channels_seen(geometry.channels, variant).outputs;
        auto &entry =
            packed[{channels_seen(geometry.channels, variant).groups, static_cast<int64_t>(algorithm_of(variant)),
                    variant.block, part.first, part.channels, static_cast<int64_t>(variant.types.sums()),
                    static_cast<int64_t>(stream.device), reinterpret_cast<int64_t>(stream.context)}];
        if (!entry) {
            const DefaultFloatEnvironment environment;
            entry = std::make_shared<const std::vector<Panels>>(
                stream.device == Device::cpu ? pack(of_part, variant, part.first, all_outputs, parameters)
                                             : pack(stream, of_part, variant, parameters));
        }
        return entry;
    } catch (const std::bad_alloc &) {
        throw OutOfMemory("out of memory: could not keep the packed weights");
    }
}

void ConvTranspose::State::weight_is_set() {
    moderate = are_moderate(parameters.weight.floats());
    in_bf16 = are_in_bf16(parameters.weight.floats());
    packed.clear();
}

std::shared_ptr<const Decision> ConvTranspose::State::decide(const Geometry &geometry, Layout layout,
                                                             const Types &types, const Input &input,
                                                             int threads) const {
    const PlanCache::Key key =
        PlanCache::key(geometry, layout, types, conditions(input), threads, usable_isa().rank, wisdom_generation());
    std::shared_ptr<const Decision> decision = plans.find(key);
    if (!decision) {
        decision =
            std::make_shared<const Decision>(decide_on(untimed_machine(threads), geometry, layout, types, input));
        plans.insert(key, decision);
    }
    return decision;
}

Decision ConvTranspose::State::decide_on(const Machine &machine, const Geometry &geometry, Layout layout,
                                         const Types &types, const Input &input) const {
    return unstride::decide(options, geometry, {device, layout, types, conditions(input), machine}, forced);
}

Geometry ConvTranspose::State::resolve_both(const Shape &input, const Shape &output) const {
    return resolve_output(options, input, output, spatial);
}

void ConvTranspose::State::compute(const Decision &decision, const Geometry &geometry, const Volume &input,
                                   const Volume &output, const std::optional<Volume> &residual, const Stream &stream,
                                   int workers) const {
    for (const Part &part : decision.parts) {
        const auto channels = [&](Volume volume) {  // of parts, of which a GPU has one
            volume.offset += part.first * volume.channel;
            return volume;
        };
        Epilogue epilogue{formula_of(activation)};
        if (residual) {
            epilogue.residual = channels(*residual);
        }
        execute(part, part_of(geometry, part), *panels(geometry, part, stream), input, channels(output), epilogue,
                workers, stream);
    }
}

}  // namespace unstride
