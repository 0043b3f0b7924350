#include "panels.h"

#include <algorithm>

#include "checked.h"
#include "memory.h"

namespace unstride {
namespace {

struct Counts {
    int64_t blocks, weights, biases;
};

Counts count(const Channels &channels, int64_t taps, int64_t block) {
    const int64_t blocks = divide_up(channels.outputs, block);
    return {blocks, product({channels.groups, channels.inputs, blocks, block, taps}), product({channels.groups, blocks, block})};
}

}  // namespace

int64_t packed_bytes(const Channels &channels, int64_t taps, int64_t block) {
    const Counts counts = count(channels, taps, block);
    return multiply(add(counts.weights, counts.biases), sizeof(float));
}

Panels pack(const Channels &channels, int64_t first, int64_t all_outputs, int64_t taps, const std::vector<float> &weight,
            const std::vector<float> &bias, int64_t block) {
    const Counts counts = count(channels, taps, block);
    Panels panels{block, counts.blocks, nullptr, nullptr};
    panels.weight.reset(allocate_floats(counts.weights, "the packed weights"));
    panels.bias.reset(allocate_floats(counts.biases, "the packed bias"));

    const auto &[groups, inputs, outputs] = channels;
    float *to = panels.weight.get(), *to_bias = panels.bias.get();
    for (int64_t g = 0; g < groups; g++) {
        for (int64_t b = 0; b < counts.blocks; b++) {
            const int64_t filled = std::min(block, outputs - b * block), start = first + b * block;
            for (int64_t tap = 0; tap < taps; tap++) {
                for (int64_t c = 0; c < inputs; c++, to += block) {
                    const float *from = weight.data() + ((g * inputs + c) * all_outputs + start) * taps + tap;
                    for (int64_t lane = 0; lane < filled; lane++) {
                        to[lane] = from[lane * taps];
                    }
                    std::fill(to + filled, to + block, 0.f);
                }
            }
            for (int64_t lane = 0; lane < block; lane++) {
                *to_bias++ = lane < filled && !bias.empty() ? bias[static_cast<size_t>(g * all_outputs + start + lane)] : 0.f;
            }
        }
    }
    return panels;
}

}  // namespace unstride
