// A NaN or an infinity in the input reaches exactly the outputs that it touches.

#include <cmath>
#include <limits>
#include <map>
#include <string>

#include "support/catch_compat.h"
#include "support/harness.h"

namespace unstride::tests {
namespace {

// Tells which outputs one input element touches, in scatter form: o = i * stride - padding + k * dilation.
std::vector<bool> touched_outputs(const Case &c, const Shape &element) {
    const ConvTranspose3dOptions &o = c.options;
    const Shape &sizes = c.expected.sizes;
    const int64_t group_out = o.out_channels / o.groups, group = element[1] / (o.in_channels / o.groups);
    std::vector<bool> touched(c.expected.values.size());
    for (int64_t channel = group * group_out; channel < (group + 1) * group_out; channel++) {
        for (int64_t tap = 0; tap < o.kernel_size[0] * o.kernel_size[1] * o.kernel_size[2]; tap++) {
            const int64_t k[] = {tap / o.kernel_size[2] / o.kernel_size[1], tap / o.kernel_size[2] % o.kernel_size[1],
                                 tap % o.kernel_size[2]};
            int64_t at = element[0] * sizes[1] + channel;
            bool exists = true;
            for (int d = 0; d < 3; d++) {
                const int64_t out = element[2 + d] * o.stride[d] - o.padding[d] + k[d] * o.dilation[d];
                exists = exists && out >= 0 && out < sizes[2 + d];
                at = at * sizes[2 + d] + out;
            }
            if (exists) {
                touched[at] = true;
            }
        }
    }
    return touched;
}

size_t flat_index(const Shape &sizes, const Shape &element) {
    int64_t index = 0;
    for (size_t d = 0; d < sizes.size(); d++) {
        index = index * sizes[d] + element[d];
    }
    return static_cast<size_t>(index);
}

// The first wrong element of `got`, or -1: those that are touched have to be special, the others as before.
int64_t first_wrong(const std::vector<float> &got, const std::vector<float> &before, const std::vector<bool> &touched,
                    float special) {
    for (size_t i = 0; i < got.size(); i++) {
        const bool is_special = std::isnan(special) ? std::isnan(got[i]) : got[i] == special;
        if (touched[i] ? !is_special : got[i] != before[i]) {
            return static_cast<int64_t>(i);
        }
    }
    return -1;
}

// A layer, its input, and the elements of it that become special, with the outputs that each touches.
struct Problem {
    struct Element {
        Shape place;
        std::vector<bool> touched;
    };
    Case plain;
    std::vector<Element> elements;

    Problem(const ConvTranspose3dOptions &options, const Shape &input_shape)
        : plain(options, input_shape, Data::integers, 1) {
        for (float &w : plain.weight) {
            w = 1 + std::abs(w);  // Zero times infinity is NaN, and a negative weight turns the sign.
        }
        const auto last = [&](int d) { return input_shape[d] - 1; };
        const Shape places[] = {{0, 0, 0, 0, 0},
                                {last(0), last(1), last(2), last(3), last(4)},
                                {0, last(1), 1, last(3), 0},
                                {last(0), 0, 0, 1, last(4) / 2}};
        for (const Shape &place : places) {
            elements.push_back({place, touched_outputs(plain, place)});
        }
    }
};

// Variants have many problems in common, which are worked out once.
using Problems = std::map<std::string, Problem>;

void check_special(Problems &problems, const Variant &variant, const ConvTranspose3dOptions &layer_near, int64_t batch,
                   const Triple &extents) {
    const ConvTranspose3dOptions options = fitted(layer_near, variant);
    const Shape input_shape{batch, options.in_channels, extents[0], extents[1], extents[2]};
    const Problem &problem = problems.try_emplace(describe(options, input_shape), options, input_shape).first->second;
    const Case &c = problem.plain;
    ConvTranspose3d layer = c.layer();
    layer.set_variant(variant.name);
    const std::vector<float> before = dense_copy(forward(layer, c, variant.layout));

    Case poisoned = c;
    for (const auto &[element, touched] : problem.elements) {
        for (float special : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                              -std::numeric_limits<float>::infinity()}) {
            poisoned.input = c.input;
            poisoned.input[flat_index(input_shape, element)] = special;
            if (!takes_numbers(variant, c.weight, poisoned.input)) {
                layer.set_variant(variant.name);
                CHECK_THROWS_AS(forward(layer, poisoned, variant.layout), InvalidArgument);
                layer.set_variant("");  // The planner does not choose it for such inputs.
            }
            const std::vector<float> got = dense_copy(forward(layer, poisoned, variant.layout));
            INFO(variant.name << ", " << special << " at channel " << element[1] << ", column " << element[4] << ": "
                              << describe(options, input_shape));
            CHECK(first_wrong(got, before, touched, special) == -1);
        }
    }
}

TEST_CASE("NaN and infinity reach exactly the outputs that they touch", "[properties]") {
    Problems problems;
    for (Layout layout : layouts) {
        for (const Variant &v : variants_here(layout)) {
            check_special(problems, v, {4, 6, 3, {2, 1, 3}, {1, 2, 1}, 0, 2}, 2, {3, 4, 40});
            check_special(problems, v, {2, 3, {1, 2, 2}, {1, 3, 3}, 0, {0, 2, 0}}, 1, {2, 3, 5});
            check_special(problems, v, {2, 3, 3, {2, 2, 1}, 2, {1, 1, 0}, 1, with_bias, {2, 3, 2}}, 1, {3, 3, 17});
        }
    }
}

}  // namespace
}  // namespace unstride::tests
