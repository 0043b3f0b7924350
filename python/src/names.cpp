#include "names.h"

namespace unstride::python {

const char *to_string(Activation::Kind kind) {
    using Kind = Activation::Kind;
    switch (kind) {
    case Kind::none:
        return "none";
    case Kind::relu:
        return "relu";
    case Kind::leaky_relu:
        return "leaky_relu";
    case Kind::prelu:
        return "prelu";
    case Kind::elu:
        return "elu";
    case Kind::silu:
        return "silu";
    case Kind::gelu:
        return "gelu";
    case Kind::gelu_tanh:
        return "gelu_tanh";
    case Kind::tanh:
        return "tanh";
    case Kind::sigmoid:
        return "sigmoid";
    case Kind::clamp:
        return "clamp";
    }
    return "";
}

}  // namespace unstride::python
