// A process whose memory is limited, as by `ulimit -v`: what does not fit is said to be out of memory, what fits is
// right, and once the limit is gone all works as before. Helper threads, whose stacks do not fit, are done without.

#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <iostream>
#include <new>

#include "app.h"
#include "children.h"

namespace {

using namespace unstride;

const Shape input_shape{1, 16, 24, 40, 40};

// The bytes of addresses that the process has.
size_t address_bytes() {
    size_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    return pages * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

void set_limit(rlim_t bytes) {
    rlimit limit{};
    getrlimit(RLIMIT_AS, &limit);
    limit.rlim_cur = bytes;
    if (setrlimit(RLIMIT_AS, &limit) != 0) {
        throw std::runtime_error("the limit cannot be set");
    }
}

// Whether a limit is kept at all: an emulator of a processor may ignore it.
bool limits_count() {
    constexpr size_t beyond = size_t{1} << 30;
    return apps::status_of_child([] {
               set_limit(address_bytes());
               return mmap(nullptr, beyond, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? 0 : 1;
           }) == 0;
}

Tensor output_of_new_layer(const Tensor &input) {
    const ConvTranspose3d layer(16, 16, 3, 2, 1, 1);
    return layer.forward(input.view());
}

enum class Ended { right, wrong, out_of_memory };

Ended compute(const Tensor &input, const Tensor &expected) {
    try {
        return apps::same_bits(output_of_new_layer(input), expected) ? Ended::right : Ended::wrong;
    } catch (const OutOfMemory &) {
        return Ended::out_of_memory;
    } catch (const std::bad_alloc &) {
        return Ended::out_of_memory;
    }
}

int check() {
    if (!limits_count()) {
        std::cout << "[SKIP] memory has no limits here" << std::endl;
        return 0;
    }
    const Tensor input = apps::make_input(input_shape);
    const bool refused = apps::child_succeeds([&] {  // Here the first forward has a limit.
        const Tensor expected(input_shape);
        set_num_threads(4);
        set_limit(address_bytes());
        return compute(input, expected) == Ended::out_of_memory ? 0 : 1;
    });
    set_num_threads(1);
    const Tensor expected = output_of_new_layer(input);
    set_num_threads(4);
    bool fails = false, succeeds = false, wrong = false;
    for (size_t more = 0; more <= size_t{64} << 20; more = more * 2 + (size_t{64} << 10)) {
        const bool as_expected = apps::child_succeeds([&] {
            set_limit(address_bytes() + more);
            const Ended ended = compute(input, expected);
            set_limit(RLIM_INFINITY);
            const bool works = compute(input, expected) == Ended::right;
            return ended != Ended::wrong && works ? 0 : 1;
        });
        wrong = wrong || !as_expected;
    }
    set_limit(address_bytes());
    fails = compute(input, expected) == Ended::out_of_memory;
    set_limit(RLIM_INFINITY);
    succeeds = compute(input, expected) == Ended::right;
    return apps::status(refused, "a first forward is not said to be out of memory") +
           apps::status(!wrong, "a forward with a limit is wrong, or one after it") +
           apps::status(fails, "a forward without memory succeeds") +
           apps::status(succeeds, "a forward fails after that");
}

}  // namespace

int main() {
    return apps::run(check);
}
