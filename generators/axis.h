#ifndef UNSTRIDE_GENERATORS_AXIS_H
#define UNSTRIDE_GENERATORS_AXIS_H

#include <cstdint>
#include <numeric>
#include <utility>

namespace unstride {

// The arithmetic of one dimension in gather form: which taps reach an output coordinate, and what they read.
//
//   scatter form   o = i * stride - padding + k * dilation        (input i, tap k, output o)
//   gather form    with c = o + padding and common = gcd(stride, dilation):
//                  taps exist only where common divides c; the first is
//                      k0 = (c / common) * inverse  mod  stride / common,
//                      inverse = (dilation / common)^-1  mod  stride / common
//                  and the j-th is k = k0 + j * (stride / common), which reads
//                      i = (c - k0 * dilation) / stride - j * (dilation / common)
//
// docs/algorithm.md derives and draws it. T is Halide::Expr where a kernel is generated and int64_t where it is called:
// c is never negative, and where taps exist the last division is exact, so both round alike.
template<typename T>
struct Axis {
    T stride, dilation, common, inverse, padding;

    T origin(const T &o) const {
        return o + padding;
    }
    T has_taps(const T &o) const {
        return origin(o) % common == 0;
    }
    T tap_step() const {
        return stride / common;
    }
    T input_step() const {
        return dilation / common;
    }
    T first_tap(const T &o) const {  // below 2^31 even in between, for strides up to 46340
        return ((origin(o) / common) % tap_step() * inverse) % tap_step();
    }
    T tap(const T &o, const T &j) const {
        return first_tap(o) + j * tap_step();
    }
    T tap_count(const T &o, const T &kernel) const {  // not positive if there are none
        return (kernel - first_tap(o) + tap_step() - 1) / tap_step();
    }
    T most_taps(const T &kernel) const {  // of any phase
        return (kernel + tap_step() - 1) / tap_step();
    }
    T first_input(const T &o) const {
        return (origin(o) - first_tap(o) * dilation) / stride;
    }
    T input(const T &o, const T &j) const {
        return first_input(o) - j * input_step();
    }

    // In scatter form: the output that tap k of input i reaches, which is below 0 where padding cuts it off.
    T output(const T &i, const T &k) const {
        return i * stride - padding + k * dilation;
    }
};

// With gcd and modular inverse worked out. Stride and dilation are positive.
inline Axis<int64_t> make_axis(int64_t stride, int64_t dilation, int64_t padding) {
    const int64_t common = std::gcd(stride, dilation), modulus = stride / common;
    const int64_t factor =
        dilation / common % modulus;  // NOLINT(clang-analyzer-core.DivideZero): stride is a multiple of common
    // Extended Euclid: on return `inverse` * factor = 1 modulo `modulus`; for modulus 1 it is 0.
    int64_t a = factor, b = modulus, inverse = 1, other = 0;
    while (b != 0) {
        const int64_t quotient = a / b;
        std::swap(a -= quotient * b, b);
        std::swap(inverse -= quotient * other, other);
    }
    inverse = ((inverse % modulus) + modulus) % modulus;
    return {stride, dilation, common, inverse, padding};
}

}  // namespace unstride

#endif
