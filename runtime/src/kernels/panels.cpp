#include "kernels/panels.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "array/memory.h"
#include "kernels/calls.h"
#include "kernels/winograd.h"
#include "problem/checked.h"

namespace unstride {
namespace {

struct Counts {
    int64_t blocks, weights, biases;
};

Counts count(const Channels &channels, int64_t taps, int64_t block) {
    const int64_t blocks = divide_up(channels.outputs, block);
    return {blocks, product({channels.groups, channels.inputs, blocks, block, taps}),
            product({3, channels.groups, blocks, block})};
}

template<typename T>
Panels pack_one(const Channels &channels, int64_t first, int64_t all_outputs, int64_t taps,
                const std::vector<T> &weight, int64_t block) {
    const Counts counts = count(channels, taps, block);
    Panels panels{block, counts.blocks, dtype_of<T>(), nullptr, nullptr, nullptr, nullptr};
    panels.weight.reset(allocate(counts.weights, panels.dtype, "the packed weights"));
    panels.bias.reset(allocate(counts.biases, panels.dtype, "the packed bias"));

    const auto &[groups, inputs, outputs] = channels;
    T *to = static_cast<T *>(panels.weight.get());
    for (int64_t g = 0; g < groups; g++) {
        for (int64_t b = 0; b < counts.blocks; b++) {
            const int64_t filled = std::min(block, outputs - b * block), start = first + b * block;
            for (int64_t tap = 0; tap < taps; tap++) {
                for (int64_t c = 0; c < inputs; c++, to += block) {
                    const T *from = weight.data() + ((g * inputs + c) * all_outputs + start) * taps + tap;
                    for (int64_t lane = 0; lane < filled; lane++) {
                        to[lane] = from[lane * taps];
                    }
                    std::fill(to + filled, to + block, T{0});
                }
            }
        }
    }
    return panels;
}

// What each channel has, in blocks as panels have them.
template<typename From, typename T>
T *pack_channels(const Channels &channels, int64_t first, int64_t all_outputs, const std::vector<From> &values,
                 int64_t block, T *to) {
    const auto &[groups, inputs, outputs] = channels;
    for (int64_t g = 0; g < groups; g++) {
        for (int64_t c = 0; c < divide_up(outputs, block) * block; c++) {
            *to++ = c < outputs && !values.empty()
                        ? static_cast<T>(values[static_cast<size_t>(g * all_outputs + first + c)])
                        : T{0};
        }
    }
    return to;
}

// Phases of depth and height whose weights are apart.
std::pair<int64_t, int64_t> phases_of_weights(const Geometry &geometry, const Variant &variant) {
    const auto &[z, y, x] = geometry.extent;
    return algorithm_of(variant) == Algorithm::winograd ? std::pair{z.axis.stride, y.axis.stride}
                                                        : std::pair<int64_t, int64_t>{1, 1};
}

// What the panels of a phase with these first taps hold: taps, or products in their place, and the channels of which
// each has weights.
struct Contents {
    Channels channels;
    int64_t taps;
};

Contents contents(const Geometry &geometry, const Variant &variant, int64_t first_tap_z, int64_t first_tap_y) {
    const auto &[z, y, x] = geometry.extent;
    Channels channels = channels_seen(geometry.channels, variant);
    switch (algorithm_of(variant)) {
    case Algorithm::winograd:
        return {channels, product({divide_up(z.kernel - first_tap_z, z.axis.stride) + 1,
                                   divide_up(y.kernel - first_tap_y, y.axis.stride) + 1, x.kernel})};
    case Algorithm::taps:
        channels.outputs = product({channels.outputs, y.kernel, x.kernel});
        return {channels, z.kernel};
    default:
        return {channels, product({z.kernel, y.kernel, x.kernel})};
    }
}

// [filter][output channel][kz][ky][kx] to [filter][output channel][ky][kx][kz].
template<typename T>
std::vector<T> depth_innermost(const Geometry &geometry, const std::vector<T> &weight) {
    const int64_t depth = geometry.extent[0].kernel,
                  plane = product({geometry.extent[1].kernel, geometry.extent[2].kernel});
    std::vector<T> result(weight.size());
    for (int64_t i = 0; i < static_cast<int64_t>(weight.size()); i++) {
        const int64_t filter = i / (depth * plane), kz = i / plane % depth, tap = i % plane;
        result[static_cast<size_t>((filter * plane + tap) * depth + kz)] = weight[static_cast<size_t>(i)];
    }
    return result;
}

// [group][input channel][output channel][tap] to [group][pair of input channels][output channel][tap].
std::vector<float> paired(const Geometry &geometry, const std::vector<float> &weight) {
    const auto &[groups, inputs, outputs] = geometry.channels;
    const int64_t pairs = divide_up(inputs, 2), plane = static_cast<int64_t>(weight.size()) / (groups * inputs);
    std::vector<float> result(static_cast<size_t>(product({groups, pairs, plane})));
    for (int64_t i = 0; i < static_cast<int64_t>(result.size()); i++) {
        const int64_t group = i / (pairs * plane), pair = i / plane % pairs,
                      first = ((group * inputs + 2 * pair) * plane) + i % plane;
        const bool has_second = 2 * pair + 1 < inputs;
        const std::array<BFloat16, 2> both{BFloat16(weight[static_cast<size_t>(first)]),
                                           has_second ? BFloat16(weight[static_cast<size_t>(first + plane)])
                                                      : BFloat16()};
        std::memcpy(&result[static_cast<size_t>(i)], both.data(), sizeof(both));
    }
    return result;
}

template<typename T>
std::vector<Panels> pack_as(const Geometry &geometry, const Variant &variant, int64_t first, int64_t all_outputs,
                            const Parameters &parameters) {
    const auto [phases_z, phases_y] = phases_of_weights(geometry, variant);
    const Channels seen = channels_seen(geometry.channels, variant);
    const auto &weight = parameters.weight.as<T>();
    const auto &bias = parameters.bias.as<T>();
    std::vector<Panels> all;
    for (int64_t z = 0; z < phases_z; z++) {
        for (int64_t y = 0; y < phases_y; y++) {
            const auto [channels, taps] = contents(geometry, variant, z, y);
            int64_t block = variant.block;
            switch (algorithm_of(variant)) {
            case Algorithm::winograd:
                all.push_back(pack_one(
                    channels, first, all_outputs, taps,
                    transform_weights(geometry, z, y, weight, product({channels.groups, channels.inputs, all_outputs})),
                    block));
                break;
            case Algorithm::taps:  // of all outputs, whose bias is not in the blocks of their products
                all.push_back(pack_one(channels, 0, channels.outputs, taps, depth_innermost(geometry, weight), block));
                block = 1;
                break;
            case Algorithm::pairs:  // of floats: no type has pairs of others
                if constexpr (std::is_same_v<T, float>) {
                    all.push_back(pack_one(channels, first, all_outputs, taps, paired(geometry, weight), block));
                }
                break;
            default:
                all.push_back(pack_one(channels, first, all_outputs, taps, weight, block));
            }
            T *to = pack_channels(seen, first, all_outputs, bias, block, static_cast<T *>(all.back().bias.get()));
            for (const std::vector<double> &taken : parameters.formula) {
                to = pack_channels(seen, first, all_outputs, taken, block, to);
            }
        }
    }
    return all;
}

}  // namespace

std::vector<Panels> pack(const Geometry &geometry, const Variant &variant, int64_t first, int64_t all_outputs,
                         const Parameters &parameters) {
    return variant.types.sums() == DType::f64 ? pack_as<double>(geometry, variant, first, all_outputs, parameters)
                                              : pack_as<float>(geometry, variant, first, all_outputs, parameters);
}

std::vector<Panels> pack(const Stream &stream, const Geometry &geometry, const Variant &variant,
                         const Parameters &parameters) {
    std::vector<Panels> all = pack(geometry, variant, 0, channels_seen(geometry.channels, variant).outputs, parameters);
    const auto [channels, taps] = contents(geometry, variant, 0, 0);
    const Counts counts = count(channels, taps, variant.block);
    const auto upload = [&](Memory &host, int64_t elements) {
        auto array = std::make_unique<DeviceArray>(stream, elements, variant.types.sums());
        array->upload(host.get());
        array->synchronize();  // other streams may use it, too, and the copy may be under way until then
        host.reset();
        return array;
    };
    for (Panels &panels : all) {
        panels.device_weight = upload(panels.weight, counts.weights);
        panels.device_bias = upload(panels.bias, counts.biases);
    }
    return all;
}

bool are_in_bf16(const std::vector<float> &numbers) {
    return std::all_of(numbers.begin(), numbers.end(), [](float number) {
        return static_cast<float>(BFloat16(number)) == number &&
               (number == 0 || std::abs(number) >= std::numeric_limits<float>::min());
    });
}

int64_t packed_bytes(const Geometry &geometry, const Variant &variant) {
    const auto [phases_z, phases_y] = phases_of_weights(geometry, variant);
    int64_t elements = 0;
    for (int64_t z = 0; z < phases_z; z++) {
        for (int64_t y = 0; y < phases_y; y++) {
            const auto [channels, taps] = contents(geometry, variant, z, y);
            const Counts counts = count(channels, taps, variant.block);
            elements = add(elements, add(counts.weights, counts.biases));
        }
    }
    return multiply(elements, size_of(variant.types.sums()));
}

int64_t panels_of_phase(const Geometry &geometry, const Variant &variant, int64_t first_tap_z, int64_t first_tap_y) {
    return algorithm_of(variant) == Algorithm::winograd ? first_tap_z * geometry.extent[1].axis.stride + first_tap_y
                                                        : 0;
}

}  // namespace unstride
