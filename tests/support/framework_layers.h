#ifndef UNSTRIDE_TESTS_FRAMEWORK_LAYERS_H
#define UNSTRIDE_TESTS_FRAMEWORK_LAYERS_H

#include <vector>

#include "support/catch_compat.h"
#include "support/harness.h"

namespace unstride::tests {

// What the tests of layers of other frameworks share.

inline Shape numbers(int64_t length) {
    return {length};
}

inline Shape numbers(const Pair &plane) {
    return {plane.height, plane.width};
}

inline Shape numbers(const Triple &volume) {
    return {volume.depth, volume.height, volume.width};
}

inline Shape sizes(int64_t batch, int64_t channels, Shape space) {
    space.insert(space.begin(), {batch, channels});
    return space;
}

// Checks what a layer with these weights makes of this input, on every variant. All arrays are dense, in the order
// (N, C, spatial).
template<typename Extents>
void check_values(const ConvTransposeOptions<Extents> &options, const Extents &input_size,
                  const std::vector<float> &values, const std::vector<float> &weight, const Extents &output_size,
                  const std::vector<float> &expected) {
    BasicConvTranspose<Extents> layer(options);
    layer.set_weight(weight.data(), layer.weight_shape());
    const int64_t batch =
        static_cast<int64_t>(values.size()) / (options.in_channels * element_count(numbers(input_size)));
    const Shape input = sizes(batch, options.in_channels, numbers(input_size));
    REQUIRE(layer.output_shape(input) == sizes(batch, options.out_channels, numbers(output_size)));
    for (Layout layout : layouts) {
        Tensor tensor(input, layout, layer.spatial());
        copy_into(tensor.view(), values);
        for (const Variant &variant : variants_here(layout)) {
            if (takes(variant, layer.ConvTranspose::options())) {
                INFO(variant.name);
                layer.set_variant(variant.name);
                CHECK(dense_copy(layer.forward(tensor.view())) == expected);
            }
        }
    }
}

inline std::vector<float> ones(size_t count) {
    return std::vector<float>(count, 1.f);
}

}  // namespace unstride::tests

#endif
