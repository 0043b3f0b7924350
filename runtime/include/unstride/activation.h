#ifndef UNSTRIDE_ACTIVATION_H
#define UNSTRIDE_ACTIVATION_H

#include <limits>
#include <utility>
#include <vector>

namespace unstride {

// A function that a layer applies to each output v, after bias and residual are added and before v is stored. Each kind
// computes what the module of torch.nn does that has the same parameters.
struct Activation {
    enum class Kind {
        none,
        relu,        // max(v, 0)
        leaky_relu,  // v below 0 is multiplied by slopes[0]
        prelu,       // v below 0 is multiplied by its channel's slope
        elu,         // v below 0 becomes alpha * (e^v - 1)
        silu,        // v * sigmoid(v)
        gelu,        // v * P(X <= v), where X is standard normal
        gelu_tanh,   // the approximation of gelu that PyTorch calls approximate="tanh"
        tanh,
        sigmoid,
        clamp,  // v limited to [low, high]
    };

    Kind kind = Kind::none;

    // leaky_relu has one slope, prelu has one for all output channels or one for each; other kinds have none.
    std::vector<double> slopes = {};

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
