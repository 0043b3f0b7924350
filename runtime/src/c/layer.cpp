// How layers are made and told what to compute.

#include "c/layer.h"

#include <algorithm>
#include <memory>

#include "c/arguments.h"
#include "c/constants.h"
#include "c/status.h"
#include "layer/initialize.h"

namespace unstride::c {
namespace {

// Returns the numbers of a layer of `spatial` dimensions as those of three, of which the first ones have `lacking`.
// 0 stands for `usual`.
Triple triple(const char *name, const int64_t (&numbers)[3], int spatial, int64_t usual) {
    int64_t all[3] = {usual, usual, usual};
    for (int d = 0; d < 3; d++) {
        if (d < spatial) {
            all[d + 3 - spatial] = numbers[d] == 0 ? usual : numbers[d];
        } else if (numbers[d] != 0) {
            throw InvalidArgument(std::string(name) + " has more numbers than the layer has dimensions of space, " +
                                  std::to_string(spatial));
        }
    }
    return {all[0], all[1], all[2]};
}

ConvTranspose3dOptions options_of(const unstride_layer_options &given, int spatial) {
    ConvTranspose3dOptions options;
    options.in_channels = given.in_channels;
    options.out_channels = given.out_channels;
    options.kernel_size = triple("kernel_size", given.kernel_size, spatial, 1);
    options.stride = triple("stride", given.stride, spatial, 1);
    options.padding = triple("padding", given.padding, spatial, 0);
    options.output_padding = triple("output_padding", given.output_padding, spatial, 0);
    options.dilation = triple("dilation", given.dilation, spatial, 1);
    options.groups = given.groups == 0 ? 1 : given.groups;
    options.bias = given.without_bias == 0;
    if (given.padding_end != nullptr) {
        int64_t numbers[3] = {};
        std::copy_n(given.padding_end, spatial, numbers);
        options.padding_end = triple("padding_end", numbers, spatial, 0);
    }
    return options;
}

Activation activation_of(Activation::Kind kind, const double *parameters, int64_t count, int64_t out_channels) {
    const auto refuse_unless = [&](bool is_right, const char *expected) {
        if (!is_right) {
            throw InvalidArgument(std::string("the activation takes ") + expected + ", but got " +
                                  std::to_string(count));
        }
    };
    refuse_unless(count >= 0, "0 or more parameters");
    if (count > 0) {
        check_given("parameters", parameters);
    }
    switch (kind) {
    case Activation::Kind::leaky_relu:
        refuse_unless(count <= 1, "no parameter or a slope");
        return count == 0 ? Activation::leaky_relu() : Activation::leaky_relu(parameters[0]);
    case Activation::Kind::prelu:
        refuse_unless(count == 1 || count == out_channels, "one slope, or one for each output channel");
        return Activation::prelu({parameters, parameters + count});
    case Activation::Kind::elu:
        refuse_unless(count <= 1, "no parameter or alpha");
        return count == 0 ? Activation::elu() : Activation::elu(parameters[0]);
    case Activation::Kind::clamp:
        refuse_unless(count == 2, "two parameters, low and high");
        return Activation::clamp(parameters[0], parameters[1]);
    default:
        refuse_unless(count == 0, "no parameters");
        return {kind};
    }
}

}  // namespace
}  // namespace unstride::c

using namespace unstride;
using namespace unstride::c;

unstride_status unstride_layer_create(const unstride_layer_options *options, unstride_layer **layer) {
    return status_of([&] {
        *check_given("layer", layer) = nullptr;
        const unstride_layer_options given = options_from("options", check_given("options", options));
        const int spatial = given.spatial == 0 ? 3 : given.spatial;
        if (spatial < 1 || spatial > 3) {
            throw InvalidArgument("1, 2 or 3 dimensions of space are supported, but got " + std::to_string(spatial));
        }
        if (given.reserved != 0) {
            throw InvalidArgument("reserved must be 0, but is " + std::to_string(given.reserved));
        }
        const ZeroWeights zeros(given.zero_weights != 0);
        *layer = new unstride_layer{ConvTranspose(options_of(given, spatial), spatial)};
    });
}

void unstride_layer_destroy(unstride_layer *layer) {
    delete layer;
}

unstride_status unstride_layer_reset_parameters(unstride_layer *layer, uint64_t seed) {
    return status_of([&] { layer_of(layer).reset_parameters(seed); });
}

unstride_status unstride_layer_set_activation(unstride_layer *layer, unstride_activation activation,
                                              const double *parameters, int64_t parameter_count) {
    return status_of([&] {
        const Activation::Kind kind = enumerator("activation", activation, Activation::Kind::clamp);
        ConvTranspose &to = layer_of(layer);
        to.set_activation(activation_of(kind, parameters, parameter_count, to.options().out_channels));
    });
}

unstride_status unstride_layer_set_device(unstride_layer *layer, unstride_device device) {
    return status_of([&] { layer_of(layer).set_device(device_from(device)); });
}

unstride_status unstride_layer_set_variant(unstride_layer *layer, const char *name, int64_t rows_per_task) {
    return status_of([&] { layer_of(layer).set_variant(name == nullptr ? "" : name, rows_per_task); });
}

unstride_status unstride_layer_set_planning(unstride_layer *layer, unstride_planning planning) {
    return status_of([&] { layer_of(layer).set_planning(enumerator("planning", planning, Planning::remember)); });
}

unstride_status unstride_layer_output_shape(const unstride_layer *layer, const int64_t *input_sizes, int32_t ndim,
                                            const int64_t *output_size, int32_t output_size_count,
                                            int64_t *output_sizes) {
    return status_of([&] {
        const Shape shape = layer_of(layer).output_shape(shape_of("input_sizes", input_sizes, ndim),
                                                         shape_of("output_size", output_size, output_size_count));
        std::copy(shape.begin(), shape.end(), check_given("output_sizes", output_sizes));
    });
}
