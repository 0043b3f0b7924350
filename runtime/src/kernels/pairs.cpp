// Sums of pairs: direct sums, tap by tap, in which each multiply-add takes two input channels in bf16.

#include <array>
#include <cstring>
#include <stdexcept>

#include "kernels/family_rules.h"
#include "problem/checked.h"

namespace unstride {
namespace {

// Returns whether pairs are expected to take less time than other sums (SumsRules::pays). Their tiles are whole vectors
// of 16 output channels. Processors multiply and add a vector of pairs in as much time as one or two vectors of floats,
// which makes pairs twice as fast as direct sums or no faster (device/microarchitectures.h). As the way of summing may
// not depend on the processor, minimal filters are taken where they save nearly as much as pairs at best, because they
// save it everywhere: with kernel 3 and stride 1, or kernel 4 and stride 2. With kernel 3 and stride 2 they save 11/36.
// This follows from how many instructions processors start in a cycle; it was not measured.
bool pairs_pay(const Geometry &geometry) {
    constexpr double much = 1.6;  // where no phase is cut off, minimal filters save 1.44, 1.78 or 2.25 times
    return geometry.channels.inputs >= 16 && geometry.channels.outputs >= 16 &&
           saved_by_minimal_filters(geometry) < much;
}

// Returns a float whose lower half is the first number in bf16, and whose upper half is the second one.
float both_in_bf16(float first, float second) {
    const std::array<BFloat16, 2> both{BFloat16(first), BFloat16(second)};
    float pair = 0;
    std::memcpy(&pair, both.data(), sizeof(pair));
    return pair;
}

// Returns weights as [group][pair of input channels][output channel][tap], with the first channel of a pair in the
// lower half of each float. If the number of input channels is odd, the last one is paired with zeros.
std::vector<float> paired(const Geometry &geometry, const Weights<float> &weights, size_t /*set*/) {
    const auto &[groups, inputs, outputs] = geometry.channels;
    const int64_t taps = geometry.taps();
    std::vector<float> result;
    result.reserve(static_cast<size_t>(product({groups, divide_up(inputs, 2), outputs, taps})));
    for (int64_t g = 0; g < groups; g++) {
        for (int64_t c = 0; c < inputs; c += 2) {
            for (int64_t o = 0; o < outputs; o++) {
                const float *first = weights.filter(g, c, o);
                const float *second = c + 1 < inputs ? weights.filter(g, c + 1, o) : nullptr;
                for (int64_t tap = 0; tap < taps; tap++) {
                    const int64_t at = tap * weights.strides.tap;
                    result.push_back(both_in_bf16(first[at], second != nullptr ? second[at] : 0));
                }
            }
        }
    }
    return result;
}

std::vector<double> no_pairs(const Geometry & /*geometry*/, const Weights<double> & /*weights*/, size_t /*set*/) {
    throw std::logic_error("pairs are of bf16, whose sums are f32");
}

}  // namespace

extern const SumsRules pairs_sums{
    Sums::pairs,
    "pairs",
    pairs_pay,
    no_obstacle,
    cut_nothing,
    cut_width,
    1,      // output of a row
    false,  // has blocks of products
    one_set_of_panels,
    {paired},
    {no_pairs},
    &direct_cost,
    &gpu_cost,
};

}  // namespace unstride
