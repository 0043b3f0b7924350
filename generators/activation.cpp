#include <cmath>
#include <vector>

#include "element.h"
#include "exact_constants.h"
#include "expressions.h"
#include "formula.h"

namespace unstride {
namespace {

using namespace Halide;

Expr polynomial(const std::vector<double> &coefficients, const Expr &x) {
    Expr sum = number(x, coefficients.back());
    for (size_t i = coefficients.size() - 1; i-- > 0;) {
        sum = sum * x + number(x, coefficients[i]);
    }
    return sum;
}

// e^u = scale * (1 + rest) for u <= 0, with |rest| < 0.42, so that e^u - 1 = scale * rest + (scale - 1) is exact near
// 0, too. With u = k ln 2 + r, scale is 2^k and rest the Taylor polynomial of e^r - 1, whose error is below half an
// ulp. Where 2^k is no normal number, scale is 0.
struct Exponential {
    Expr scale, rest;

    explicit Exponential(const Expr &argument) {
        const bool is_double = argument.type().bits() == 64;
        const int mantissa = is_double ? 52 : 23, bias = is_double ? 1023 : 127, degree = is_double ? 13 : 7;
        const Expr least = number(argument, -(bias + 0.01) * std::log(2.0));
        const Expr u = select(argument < least, least, argument);
        // Added to a number this large, k is rounded, and is its last bits.
        const Expr large = number(u, 1.5 * std::ldexp(1.0, mantissa));
        const Expr sum = u * number(u, 1 / std::log(2.0)) + large, k = sum - large;
        // ln 2 in two parts, the first of so few bits that its product with k is exact.
        const double high = std::ldexp(std::round(std::ldexp(std::log(2.0), mantissa - 11)), 11 - mantissa);
        const double low = std::log(2.0) - high + 2.319046813846299616e-17;  // the last is what std::log(2.0) lacks
        const Expr r = u - k * number(u, high) - k * number(u, low);
        const Type bits = Int(u.type().bits());
        scale = reinterpret(u.type(), (reinterpret(bits, sum) << mantissa) +
                                          Internal::make_const(bits, int64_t{bias} << mantissa));
        std::vector<double> taylor;
        double factorial = 1;
        for (int i = 1; i <= degree; i++) {
            factorial *= i;
            taylor.push_back(1 / factorial);
        }
        rest = polynomial(taylor, r) * r;
    }

    Expr value() const {
        return scale * rest + scale;
    }
    Expr minus_one() const {
        return scale * rest + (scale - 1);
    }
};

Expr elu(const Expr &v, const Expr &alpha) {
    return select(v < 0, alpha * Exponential(min(v, 0)).minus_one(), v);
}

// 1 / (1 + e^-|v|), times e^-|v| below 0: written like this, nothing overflows.
Expr sigmoid(const Expr &v) {
    const Expr e = Exponential(-abs(v)).value();
    return select(v < 0, e, number(v, 1)) / (1 + e);
}

Expr hyperbolic_tangent(const Expr &v) {
    const Expr e = Exponential(-2 * abs(v)).minus_one(), y = e / (e + 2);
    return select(v < 0, y, -y);
}

// P(X <= -a) = e^(-a^2 / 2) * R(a), where R(a) = erfcx(a / sqrt 2) / 2. R(a) * (a + k) is smooth in
// t = (k - a) / (k + a) = 2 k / (k + a) - 1, and the polynomial interpolates it at Chebyshev nodes. k is chosen for the
// least error, which is 4e-8 with degree 9 and 5e-16 with degree 22.
Expr gelu(const Expr &v) {
    const bool is_double = v.type().bits() == 64;
    const std::vector<double> single = {0.7552851271,    0.6078964038,   0.3871375629,    0.1865267109,
                                        0.06039529587,   0.007512231382, -0.003476167895, -0.001563786899,
                                        0.0001293256813, 0.0001573205696};
    const std::vector<double> twice = {
        0.769193049750062944,     0.665382502890057661,     0.495305615969980512,      0.313533156671215116,
        0.165020366170196288,     0.0691186387087929542,    0.0207950668031901745,     0.00299337673836398246,
        -0.000797869427172563067, -0.000544898831329389909, -0.0000593755920601317073, 0.0000497617716764611458,
        0.0000166808664419581386, -3.97791216230523635e-6,  -2.76890932810795479e-6,   3.31067747344169404e-7,
        4.33518517724975216e-7,   -3.58159363350320213e-8,  -6.74514745092052479e-8,   5.01429909615045351e-9,
        9.2908677958889248e-9,    -5.03440952336770963e-10, -7.88505762084966175e-10};
    const Expr a = abs(v), k = number(v, is_double ? 5 : 4), reciprocal = 1 / (a + k);
    const Expr tail = polynomial(is_double ? twice : single, 2 * k * reciprocal - 1) * reciprocal *
                      Exponential(v * v * number(v, -0.5)).value();
    return v * select(v < 0, tail, 1 - tail);
}

Expr gelu_tanh(const Expr &v) {
    return v * sigmoid(v * (number(v, 1.5957691216057308) + v * v * number(v, 0.071354816272600249)));
}

// output = formula(input), element by element, so that both may be the same memory. The first dimension is dense.
class Activation : public Generator<Activation> {
public:
    GeneratorParam<Element::Type> type{"type", Element::Type::F32, Element::names()};  // of elements in memory
    Input<Buffer<void, 5>> input{"input"};
    Input<int> formula{"formula"};  // a Formula beyond those in registers
    // The bias of the convolution, which has what the formula takes. That is the same for all channels.
    Input<Buffer<void, 3>> bias{"bias"};
    Output<Buffer<void, 5>> output{"output"};

    void configure() {
        input.set_type(element().stored());
        bias.set_type(element().computed());
        output.set_type(element().stored());
    }

    void generate() {
        const Expr v = element().load(input(i, j[0], j[1], j[2], j[3]));
        const Expr value =
            select(is(Formula::elu), elu(v, bias(0, 0, 1)), is(Formula::sigmoid), sigmoid(v), is(Formula::silu),
                   v * sigmoid(v), is(Formula::tanh), hyperbolic_tangent(v), is(Formula::gelu), gelu(v), gelu_tanh(v));
        // Strictly as it is written: roundings are part of it, NaN and infinity are arguments like others, and all
        // processors get the same bits.
        output(i, j[0], j[1], j[2], j[3]) = element().store(strict_float(value));
    }

    void schedule() {
        write_constants_exactly(get_pipeline(), get_target());
        for (int d = 0; d < 3; d++) {
            bias.dim(d).set_min(0);
        }
        for (int d = 0; d < 5; d++) {
            input.dim(d).set_min(0);
            output.dim(d).set_min(0);
        }
        if (get_target().has_gpu_feature()) {
            const Var block{"block"}, thread{"thread"};
            output.fuse(i, j[0], i)
                .fuse(i, j[1], i)
                .fuse(i, j[2], i)
                .fuse(i, j[3], i)
                .gpu_tile(i, block, thread, 128, TailStrategy::GuardWithIf)
                .never_partition_all();
        } else {
            output.vectorize(i, natural_vector_size(element().computed()), TailStrategy::GuardWithIf);
        }
        for (const Formula f :
             {Formula::elu, Formula::sigmoid, Formula::silu, Formula::tanh, Formula::gelu, Formula::gelu_tanh}) {
            output.specialize(is(f));
        }
        output.specialize_fail("this activation is computed in registers");
    }

private:
    Element element() const {
        return {type, get_target()};
    }
    Expr is(Formula f) const {
        return formula == static_cast<int32_t>(f);
    }

    const Var i{"i"}, j[4] = {Var("j0"), Var("j1"), Var("j2"), Var("j3")};
};

}  // namespace
}  // namespace unstride

HALIDE_REGISTER_GENERATOR(unstride::Activation, activation)
