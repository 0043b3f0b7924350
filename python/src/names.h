#ifndef UNSTRIDE_PYTHON_NAMES_H
#define UNSTRIDE_PYTHON_NAMES_H

#include <unstride/unstride.h>

#include <string>

#include "array.h"

namespace unstride::python {

// Returns the name of an activation, which is that of its enumerator.
const char *to_string(Activation::Kind kind);

// Returns the enumerator of this name, or throws ValueError, which lists the names of all enumerators up to `last`.
// Messages call it `what`.
template<typename Enum>
Enum enumerator(const char *what, const std::string &name, Enum last) {
    std::string all;
    for (int i = 0; i <= static_cast<int>(last); i++) {
        const std::string text = to_string(static_cast<Enum>(i));
        if (text == name) {
            return static_cast<Enum>(i);
        }
        all += (all.empty() ? "" : ", ") + text;
    }
    fail_value(std::string(what) + " must be one of " + all + ", but got '" + name + "'");
}

inline Activation::Kind activation_named(const std::string &name) {
    return enumerator("activation", name, Activation::Kind::clamp);
}
inline Layout layout_named(const std::string &name) {
    return enumerator("layout", name, Layout::ndhwc);
}
inline Operator operator_named(const std::string &name) {
    return enumerator("operator", name, Operator::bias_gradient);
}
inline Planning planning_named(const std::string &name) {
    return enumerator("planning", name, Planning::remember);
}
inline Device device_named(const std::string &name) {
    return enumerator("device", name, Device::opencl);
}

}  // namespace unstride::python

#endif
