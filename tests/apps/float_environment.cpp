// An app that sets how its thread rounds, or that it takes tiny numbers for zero, before or after the first forward.
// Its results have to be the same for any number of threads and each time, and what it set has to stay.
//
//     float_environment upward|flush before|after

#include <cfenv>
#include <string>

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

#include "app.h"
#include "support/bias.h"

namespace {

using namespace unstride;

constexpr int times = 50;

#if defined(__SSE2__)
constexpr bool can_flush = true;
constexpr unsigned flush_to_zero = 0x8040, exceptions = 0x3f;

void set_flush() {
    _mm_setcsr(_mm_getcsr() | flush_to_zero);
}
unsigned modes() {
    return _mm_getcsr() & ~exceptions;
}
#else
constexpr bool can_flush = false;

void set_flush() {
}
unsigned modes() {
    return static_cast<unsigned>(std::fegetround());
}
#endif

// The input is such that the mode changes the outputs.
Tensor input_for(bool flush) {
    Tensor input = apps::make_input({1, 16, 8, 16, 16});
    for (int64_t i = 0; i < input.element_count(); i++) {
        input.data()[i] *= flush ? 1e-39F : 0.1F;
    }
    return input;
}

int check(bool flush, bool after) {
    ConvTranspose3d layer(16, 16, 2, 2, 0, 0, 1, tests::without_bias);
    layer.set_activation(Activation::gelu());
    const Tensor input = input_for(flush);
    set_num_threads(4);
    if (after) {
        layer.forward(input.view());
    }
    if (flush) {
        set_flush();
    } else {
        std::fesetround(FE_UPWARD);
    }
    const unsigned set = modes();
    set_num_threads(1);
    const Tensor one = layer.forward(input.view());
    set_num_threads(4);
    bool same = true;
    for (int i = 0; i < times; i++) {
        same = same && apps::same_bits(layer.forward(input.view()), one);
    }
    return apps::status(same, "results differ from that of one thread") +
           apps::status(modes() == set, "the modes are not kept");
}

}  // namespace

int main(int argc, char **argv) {
    if (argc != 3) {
        return apps::failure("usage: float_environment upward|flush before|after");
    }
    const bool flush = std::string(argv[1]) == "flush", after = std::string(argv[2]) == "after";
    if (flush && !can_flush) {
        std::cout << "[SKIP] this processor has no such mode that the test knows" << std::endl;
        return 0;
    }
    return apps::run([&] { return check(flush, after); });
}
