#include "layer/initialize.h"

#include <cmath>
#include <random>
#include <utility>

namespace unstride {
namespace {

// Fills values as torch.Tensor.uniform_ does: each takes 24 bits of one draw, in row-major order, and scales them with
// a single rounding.
void fill_uniform(std::vector<float> &values, float bound, std::mt19937 &generator) {
    for (float &value : values) {
        const float u = static_cast<float>(generator() & 0xffffff) * 0x1p-24f;
        value = std::fma(u, bound - -bound, -bound);
    }
}

thread_local bool zero_weights = false;

}  // namespace

ZeroWeights::ZeroWeights(bool are_wanted) : outside_(std::exchange(zero_weights, are_wanted)) {
}

ZeroWeights::~ZeroWeights() {
    zero_weights = outside_;
}

bool ZeroWeights::are_wanted() {
    return zero_weights;
}

void initialize(const ConvTranspose3dOptions &o, uint64_t seed, std::vector<float> &weight, std::vector<float> &bias) {
    std::mt19937 generator(static_cast<uint32_t>(seed));  // PyTorch uses the low 32 bits, too
    // PyTorch calls torch.nn.init.kaiming_uniform_(weight, a=sqrt(5)), which takes dimension 1 of the weight, the
    // output channels, for the inputs (fan_in).
    const int64_t elements = o.out_channels / o.groups * o.kernel_size[0] * o.kernel_size[1] * o.kernel_size[2];
    const auto fan_in = static_cast<double>(elements);
    const double slope = std::sqrt(5.0), gain = std::sqrt(2.0 / (1 + slope * slope));
    fill_uniform(weight, static_cast<float>(std::sqrt(3.0) * (gain / std::sqrt(fan_in))), generator);
    fill_uniform(bias, static_cast<float>(1 / std::sqrt(fan_in)), generator);
}

}  // namespace unstride
