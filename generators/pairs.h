#ifndef UNSTRIDE_GENERATORS_PAIRS_H
#define UNSTRIDE_GENERATORS_PAIRS_H

#include "Halide.h"

namespace unstride {

// A pairs kernel sees two input channels of bf16 as one, in 32 bits, as some processors multiply such pairs and add
// both products at once. Weights are pairs, too, in the 32 bits of an f32. Where the number of channels is odd, the
// last pair has a zero.

// Pair `number` of `channels` channels, of which `element` gives one.
template<typename Channel>
Halide::Expr pair_of_channels(const Halide::Expr &number, const Halide::Expr &channels, const Channel &element) {
    using Halide::likely;
    const auto existing = [&](const Halide::Expr &channel) { return element(min(likely(channel), channels - 1)); };
    const Halide::Expr first = 2 * number, second = 2 * number + 1;
    return Halide::concat_bits(
        {existing(first), select(likely(second < channels), existing(second), Halide::cast<uint16_t>(0))});
}

// The sum, and the products of two pairs. Processors with AVX512-BF16 have an instruction for it, which Halide knows by
// this name; it takes numbers below 2^-126 for zero.
inline Halide::Expr add_dot_of_pairs(const Halide::Expr &sum, const Halide::Expr &a, const Halide::Expr &b,
                                     const Halide::Target &target) {
    if (target.has_feature(Halide::Target::AVX512_Zen4)) {
        return Halide::Internal::Call::make(Halide::Float(32), "dpbf16ps", {sum, a, b},
                                            Halide::Internal::Call::PureExtern);
    }
    const auto first = [](const Halide::Expr &pair) { return Halide::reinterpret<float>(pair << 16); };
    const auto second = [](const Halide::Expr &pair) {
        return Halide::reinterpret<float>(pair & Halide::Expr(0xffff0000U));
    };
    return sum + first(a) * first(b) + second(a) * second(b);
}

}  // namespace unstride

#endif
