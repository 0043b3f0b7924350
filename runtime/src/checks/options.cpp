#include "checks/checks.h"

#include <tuple>
#include <utility>
#include <vector>

#include "checks/texts.h"
#include "problem/checked.h"

namespace unstride {

Shape weight_shape(const ConvTranspose3dOptions &o, int spatial) {
    Shape shape{o.in_channels, o.out_channels / o.groups};
    for (int d = 3 - spatial; d < 3; d++) {
        shape.push_back(o.kernel_size[d]);
    }
    return shape;
}

std::string to_string(const Shape &shape) {
    std::string text = "[";
    for (size_t i = 0; i < shape.size(); i++) {
        text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
    }
    return text + "]";
}

namespace {

// Checks the parameters of a layer of fewer than three dimensions in those that it lacks. Each has one possible value
// there.
void check_lacking(const ConvTranspose3dOptions &o, int spatial) {
    const std::tuple<const char *, Triple, int64_t> all[] = {
        {"kernel_size", o.kernel_size, 1},       {"stride", o.stride, 1},     {"padding", o.padding, 0},
        {"output_padding", o.output_padding, 0}, {"dilation", o.dilation, 1}, {"padding_end", end_padding(o), 0},
    };
    for (const auto &[name, triple, needed] : all) {
        for (int d = 0; d < 3 - spatial; d++) {
            if (triple[d] != needed) {
                fail(std::string(name) + " must be " + std::to_string(needed) + " in the dimensions that a layer of " +
                     std::to_string(spatial) + " lacks, but got " + volume(triple));
            }
        }
    }
}

}  // namespace

void check_options(const ConvTranspose3dOptions &o, int spatial) {
    check_spatial(spatial);
    check_lacking(o, spatial);
    if (o.groups <= 0) {
        fail("groups must be a positive integer");
    }
    if (o.in_channels <= 0) {
        fail("in_channels must be a positive integer, but got " + std::to_string(o.in_channels));
    }
    if (o.out_channels <= 0) {
        fail("out_channels must be a positive integer, but got " + std::to_string(o.out_channels));
    }
    if (o.in_channels % o.groups != 0) {
        fail("in_channels must be divisible by groups");
    }
    if (o.out_channels % o.groups != 0) {
        fail("out_channels must be divisible by groups");
    }
    if (o.padding_mode != "zeros") {
        fail("Only \"zeros\" padding mode is supported for ConvTranspose" + suffix(spatial));
    }
    if (smallest(o.kernel_size) < 0) {
        fail("Trying to create tensor with negative dimension " + std::to_string(smallest(o.kernel_size)) + ": " +
             to_string(weight_shape(o, spatial)));
    }
    if (smallest(o.kernel_size) == 0) {
        fail(spatial == 3
                 ? "non-empty 5D (n_output_plane x n_input_plane x kernel_depth x kernel_height x kernel_width) tensor "
                   "expected for weight, but got: " +
                       to_string(weight_shape(o, spatial))
                 : "kernel size should be greater than zero, but got " + numbers("kernel", o.kernel_size, spatial));
    }
    if (smallest(o.padding) < 0 && !o.padding_end) {
        fail("negative padding is not supported");
    }
    if (smallest(o.output_padding) < 0) {
        fail("negative output_padding is not supported");
    }
    if (smallest(o.stride) <= 0) {
        fail("non-positive stride is not supported");
    }
    if (smallest(o.dilation) < 0) {
        fail("dilation should be greater than zero");
    }
    if (smallest(o.dilation) == 0) {
        fail("dilation should be greater than zero, but got " + numbers("dilation", o.dilation, spatial, ", "));
    }
    for (int d = 0; d < 3; d++) {
        if (o.output_padding[d] >= o.stride[d] && o.output_padding[d] >= o.dilation[d]) {
            fail("output padding must be smaller than either stride or dilation, but got " +
                 numbers("output_padding", o.output_padding, spatial) + " " + numbers("stride", o.stride, spatial) +
                 " " + numbers("dilation", o.dilation, spatial));
        }
    }
    // Throws if the number of bytes of the weights overflows.
    multiply(product(weight_shape(o, spatial)), size_of(DType::f64));
    // Kernels compute coordinates in 32 bits, so that the parameters have limits.
    const std::pair<const char *, Triple> triples[] = {{"kernel_size", o.kernel_size},
                                                       {"stride", o.stride},
                                                       {"padding", o.padding},
                                                       {"dilation", o.dilation},
                                                       {"padding_end", end_padding(o)}};
    for (const auto &[name, triple] : triples) {
        for (int d = 0; d < 3; d++) {
            if (triple[d] > largest_extent || triple[d] < -largest_extent) {
                fail(std::string(name) + " is too large: " + std::to_string(triple[d]) +
                     ", where up to 2^29 is supported, or -2^29 of paddings");
            }
        }
    }
    for (int d = 0; d < 3; d++) {
        if (o.stride[d] > largest_stride || multiply(o.stride[d], o.dilation[d]) > largest_extent) {
            fail("stride is too large: " + std::to_string(o.stride[d]) + ", with dilation " +
                 std::to_string(o.dilation[d]) + ", where up to 32768 is supported, and 2^29 for their product");
        }
    }
}

void check_weight(const void *data, const Shape &shape, const Shape &expected) {
    if (shape != expected) {
        fail("size mismatch for weight: expected " + to_string(expected) + ", but got " + to_string(shape));
    }
    check_data("weight", data);
}

void check_bias(const void *data, const Shape &shape, const Shape &expected, const Shape &weight) {
    if (expected.empty()) {
        fail("the layer has no bias");
    }
    if (shape != expected) {
        fail("Given transposed=1, weight of size " + to_string(weight) + ", expected bias to be 1-dimensional with " +
             std::to_string(expected[0]) + " elements, but got bias of size " + to_string(shape) + " instead");
    }
    check_data("bias", data);
}

void check_activation(const Activation &activation, int64_t out_channels) {
    using Kind = Activation::Kind;
    const auto slopes = static_cast<int64_t>(activation.slopes.size());
    if (activation.kind == Kind::prelu && slopes != 1 && slopes != out_channels) {
        fail("Mismatch of parameter numbers and input channel size. Found parameter numbers = " +
             std::to_string(slopes) + " and channel size = " + std::to_string(out_channels) + ".");
    }
    if (activation.kind == Kind::leaky_relu && slopes != 1) {
        fail("leaky_relu has one slope, but got " + std::to_string(slopes));
    }
    if (activation.kind != Kind::prelu && activation.kind != Kind::leaky_relu && slopes != 0) {
        fail("slopes are for leaky_relu and prelu, but another activation got " + std::to_string(slopes));
    }
    if (activation.kind == Kind::clamp && !(activation.low <= activation.high)) {
        fail("clamp needs a low bound that is not above the high one, but got " + std::to_string(activation.low) +
             " and " + std::to_string(activation.high));
    }
}

namespace {

enum class Presence { required, optional };

void check_values(const char *name, const std::vector<float> &values, int64_t channels, Presence presence) {
    const bool may_lack = presence == Presence::optional && values.empty();
    if (static_cast<int64_t>(values.size()) != channels && !may_lack) {
        fail(std::string(name) + " should contain " + std::to_string(channels) + " elements not " +
             std::to_string(values.size()));
    }
}

}  // namespace

void check_batch_norm(const BatchNorm &norm, const Activation &activation, int64_t channels) {
    check_values("running_mean", norm.running_mean, channels, Presence::required);
    check_values("running_var", norm.running_var, channels, Presence::required);
    check_values("weight", norm.weight, channels, Presence::optional);
    check_values("bias", norm.bias, channels, Presence::optional);
    for (const float variance : norm.running_var) {
        if (!(variance + norm.eps > 0)) {
            fail("running_var + eps must be positive, but got " + std::to_string(variance) + " + " +
                 std::to_string(norm.eps));
        }
    }
    if (activation.kind != Activation::Kind::none) {
        fail("a normalization cannot be folded into a layer whose activation comes before it");
    }
}

}  // namespace unstride
