// As many different problems as the argument says, of one layer and of new ones: what the library keeps of them is
// bounded.
//
//     many_problems COUNT

#include <algorithm>
#include <cstdlib>
#include <string>

#include "app.h"
#include "failing_malloc.h"

namespace {

using namespace unstride;

// What is kept for the last problems may be of any of these.
constexpr int64_t most_blocks = 4000;

// Plans and computes problems that no earlier call had. Plans take no memory, whatever the sizes are.
void compute(const ConvTranspose1d &layer, int64_t number) {
    layer.plan({1 + number % 1000, 2, 1 + number / 1000}, Layout::ndhwc);
    layer.plan({1 + number % 1000, 2, 1 + number / 1000}, Layout::ncdhw, {}, {}, Operator::weight_gradient);
    Tensor input({1 + number % 3, 2, 1 + number % 97}, Layout::ncdhw, 1);
    std::fill(input.data(), input.data() + input.element_count(), 0.5F);
    layer.forward(input.view());
}

int check(int64_t count) {
    set_num_threads(2);
    const ConvTranspose1d layer(2, 3, 3, 2);
    int64_t before = 0;
    for (int64_t i = 0; i < count; i++) {
        before = i == count / 10 ? apps::live_blocks() : before;
        compute(layer, i);
        compute(ConvTranspose1d(2, 1 + i % 7, 1 + i % 11, 1 + i % 3), i);
    }
    const int64_t more = apps::live_blocks() - before;
    return apps::status(more < most_blocks, (std::to_string(more) + " blocks of memory more").c_str());
}

}  // namespace

int main(int argc, char **argv) {
    return apps::run([&] { return argc == 2 ? check(std::strtoll(argv[1], nullptr, 10)) : 2; });
}
