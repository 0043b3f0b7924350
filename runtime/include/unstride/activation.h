#ifndef UNSTRIDE_ACTIVATION_H
#define UNSTRIDE_ACTIVATION_H

#include <limits>
#include <utility>
#include <vector>

namespace unstride {

// What a layer applies to each output, after bias and residual and before it is stored: the module of torch.nn with
// these parameters.
struct Activation {
    enum class Kind {
        none,
        relu,        // max(v, 0)
        leaky_relu,  // v below 0 times slopes[0]
        prelu,       // v below 0 times its channel's slope
        elu,         // below 0, alpha * (e^v - 1)
        silu,        // v * sigmoid(v)
        gelu,        // v * P(X <= v) of a standard normal X
        gelu_tanh,   // PyTorch's approximate="tanh"
        tanh,
        sigmoid,
        clamp
    };  // to [low, high]

    Kind kind = Kind::none;
    std::vector<double> slopes = {};  // one, or of prelu one or one for each output channel
    double alpha = 1;
    double low = -std::numeric_limits<double>::infinity(), high = std::numeric_limits<double>::infinity();

    static Activation relu() {
        return {Kind::relu};
    }
    static Activation leaky_relu(double negative_slope = 0.01) {
        return {Kind::leaky_relu, {negative_slope}};
    }
    static Activation prelu(std::vector<double> weight) {
        return {Kind::prelu, std::move(weight)};
    }
    static Activation elu(double alpha = 1) {
        return {Kind::elu, {}, alpha};
    }
    static Activation silu() {
        return {Kind::silu};
    }
    static Activation gelu() {
        return {Kind::gelu};
    }
    static Activation gelu_tanh() {
        return {Kind::gelu_tanh};
    }
    static Activation tanh() {
        return {Kind::tanh};
    }
    static Activation sigmoid() {
        return {Kind::sigmoid};
    }
    static Activation clamp(double low, double high) {
        return {Kind::clamp, {}, 1, low, high};
    }
};

}  // namespace unstride

#endif
