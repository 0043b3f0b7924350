#include "panels.h"

#include <algorithm>

#include "checked.h"
#include "memory.h"

namespace unstride {
namespace {

struct Counts {
    int64_t taps, blocks, weights, biases;
};

Counts count(const ConvTranspose3dOptions &o, int64_t block) {
    const int64_t taps = product({o.kernel_size[0], o.kernel_size[1], o.kernel_size[2]});
    const int64_t blocks = divide_up(o.out_channels / o.groups, block);
    return {taps, blocks, product({o.in_channels, blocks, block, taps}), product({o.groups, blocks, block})};
}

}  // namespace

int64_t packed_bytes(const ConvTranspose3dOptions &options, int64_t block) {
    const Counts counts = count(options, block);
    return multiply(add(counts.weights, counts.biases), sizeof(float));
}

Panels pack(const ConvTranspose3dOptions &o, const std::vector<float> &weight, const std::vector<float> &bias, int64_t block) {
    const Counts counts = count(o, block);
    Panels panels{block, counts.blocks, nullptr, nullptr};
    panels.weight.reset(allocate_floats(counts.weights, "the packed weights"));
    panels.bias.reset(allocate_floats(counts.biases, "the packed bias"));

    const int64_t inputs = o.in_channels / o.groups, outputs = o.out_channels / o.groups;
    float *to = panels.weight.get(), *to_bias = panels.bias.get();
    for (int64_t g = 0; g < o.groups; g++) {
        for (int64_t b = 0; b < counts.blocks; b++) {
            const int64_t first = b * block, filled = std::min(block, outputs - first);
            for (int64_t tap = 0; tap < counts.taps; tap++) {
                for (int64_t c = 0; c < inputs; c++, to += block) {
                    const float *from = weight.data() + ((g * inputs + c) * outputs + first) * counts.taps + tap;
                    for (int64_t lane = 0; lane < filled; lane++) {
                        to[lane] = from[lane * counts.taps];
                    }
                    std::fill(to + filled, to + block, 0.f);
                }
            }
            for (int64_t lane = 0; lane < block; lane++) {
                *to_bias++ = lane < filled && !bias.empty() ? bias[static_cast<size_t>(g * outputs + first + lane)] : 0.f;
            }
        }
    }
    return panels;
}

}  // namespace unstride
