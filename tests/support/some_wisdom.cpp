#include "support/some_wisdom.h"

#include "support/harness.h"

namespace unstride::tests {

std::vector<Variant> candidates(const ConvTranspose3dOptions &options, Layout layout) {
    std::vector<Variant> all = variants_here(layout), result;
    const bool fma = instruction_set(this_machine().isa).fma;
    for (const Variant &v : all) {
        if (takes(v, options) && v.sums == "direct" && instruction_set(v.isa).fma == fma) {
            result.push_back(v);
        }
    }
    return result;
}

WisdomEntry entry_for(const Variant &v, int64_t rows, const ConvTranspose3dOptions &options, const Shape &input) {
    return {options, input, {}, v.layout, num_threads(), v.name, rows, 1.5e-3, 7};
}

std::string some_wisdom() {
    forget_wisdom();
    for (Layout layout : layouts) {
        add_wisdom(entry_for(candidates(grouped, layout).back()));
        add_wisdom(entry_for(candidates(grouped, layout).front(), 1, grouped, {1, 16, 2, 2, 5}));
    }
    std::string text = wisdom_text();
    forget_wisdom();
    return text;
}

}  // namespace unstride::tests
