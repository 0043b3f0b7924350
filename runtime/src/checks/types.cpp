#include "checks/checks.h"

#include <algorithm>

#include "checks/texts.h"

namespace unstride {

void check_types(const Types &types, const char *input, const char *output) {
    const auto &all = supported_types();
    if (std::find(all.begin(), all.end(), types) == all.end()) {
        fail(std::string(input) + " of " + to_string(types.input) + " and " + output + " of " +
             to_string(types.output) + " are not supported: either both have the same type, or " + input +
             " has f16 or bf16 and " + output + " f32");
    }
}

Types parse_types(const std::string &text) {
    std::string names;
    for (const Types &types : supported_types()) {
        if (text == to_string(types)) {
            return types;
        }
        names += (names.empty() ? "" : ", ") + to_string(types);
    }
    fail("the type has to be one of " + names + ", but got '" + text + "'");
}

void check_element_type(DType dtype, DType asked) {
    if (dtype != asked) {
        fail(std::string("the elements are ") + to_string(dtype) + ", not " + to_string(asked));
    }
}

}  // namespace unstride
