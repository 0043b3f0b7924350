#include "lowering.h"

namespace unstride {

std::set<std::string> buffers_of_tiles(const Stages &stages) {
    std::set<std::string> names{stages.sum.name(), stages.phases.name()};
    if (stages.turned.defined()) {
        names.insert(stages.turned.name());
    }
    return names;
}

void add_lowering_steps(Halide::Pipeline pipeline, const Stages &stages) {
    const auto add = [&](LoweringStep step) {
        pipeline.add_custom_lowering_pass(step.release());  // the pipeline deletes it
    };
    add(load_whole_vectors(stages));
    add(prefetch_outputs(stages));
    add(store_plain_tiles(stages));
    if (!stages.cheap_masks) {
        add(store_parts());
    }
}

}  // namespace unstride
