#include "device/machine.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "device/microarchitectures.h"
#include "device/processor.h"
#include "unstride/error.h"
#include "unstride/variants.h"

namespace unstride {
namespace {

// Returns the first of the sizes found for one level of caches that can be true, as it is from `least` to `most` bytes,
// or `otherwise` if there is none. A size of 0 is unknown.
int64_t plausible(std::initializer_list<int64_t> sizes, int64_t least, int64_t most, int64_t otherwise) {
    for (int64_t size : sizes) {
        if (size >= least && size <= most) {
            return size;
        }
    }
    return otherwise;
}

#if defined(_SC_LEVEL1_DCACHE_SIZE)
Caches system_caches() {
    return {sysconf(_SC_LEVEL1_DCACHE_SIZE), sysconf(_SC_LEVEL2_CACHE_SIZE), sysconf(_SC_LEVEL3_CACHE_SIZE)};
}
#else
Caches system_caches() {
    return {};
}
#endif

// Properties of the processor, which are found once in a process. There is no std::string in it, so that it needs no
// destructor, after which a layer of a static object could still ask for it.
struct Processor {
    std::array<char, 96> name;
    Caches caches;
    const Microarchitecture *microarchitecture;
};

Processor describe_processor() {
    Processor processor{};
    const ToldProcessor told = told_processor();
    for (size_t i = 0; i < std::min(told.name.size(), processor.name.size() - 1); i++) {
        const char c = told.name[i];
        processor.name[i] = c >= ' ' && c <= '~' && c != '"' ? c : ' ';
    }
    const Caches system = system_caches();
    const Machine typical;
    constexpr int64_t kib = 1024, mib = 1024 * kib, gib = 1024 * mib;
    Caches &caches = processor.caches;
    caches.l1d = plausible({told.caches.l1d, system.l1d}, 4 * kib, mib, typical.l1d);
    caches.l2 = plausible({told.caches.l2, system.l2}, 64 * kib, 64 * mib, typical.l2);
    caches.last_level = plausible({told.caches.last_level, system.last_level}, caches.l2, 16 * gib,
                                  std::max(caches.l2, typical.last_level));
    processor.microarchitecture = &find_microarchitecture(told.microarchitecture);
    return processor;
}

// Returns how many seconds a chain of multiplications takes, each of which waits for the result of the one before.
double time_chain(int64_t steps) {
    using Clock = std::chrono::steady_clock;
    uint64_t value = 3;
    const Clock::time_point start = Clock::now();
    for (int64_t i = 0; i < steps; i += 8) {
#pragma GCC unroll 8
        for (int j = 0; j < 8; j++) {
            value *= value;
            asm volatile("" : "+r"(value));  // keeps the compiler from simplifying the chain
        }
    }
    return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

Machine untimed_machine(int threads) {
    static const Processor processor = describe_processor();
    const Isa &isa = usable_isa();
    Machine machine;
    machine.cpu = processor.name.data();
    machine.isa = isa.name;
    machine.max_isa = isa.rank < best_isa().rank ? max_isa() : "";
    machine.threads = threads;
    machine.l1d = processor.caches.l1d;
    machine.l2 = processor.caches.l2;
    machine.last_level = processor.caches.last_level;
    machine.microarchitecture = processor.microarchitecture->name;
    return machine;
}

Machine this_machine() {
    Machine machine = untimed_machine(num_threads());
    machine.clock_hertz = clock_hertz();
    return machine;
}

void check_machine(const Machine &machine) {
    const auto require = [](bool condition, const std::string &message) {
        if (!condition) {
            throw InvalidArgument("the machine " + message);
        }
    };
    require(find_isa(machine.isa).device == Device::cpu, "needs an instruction set of the CPU, but has " + machine.isa);
    require(machine.threads >= 1, "needs a thread, but has " + std::to_string(machine.threads));
    require(machine.l1d > 0 && machine.l2 > 0 && machine.last_level > 0, "needs caches of more than 0 bytes");
    require(machine.clock_hertz >= 0, "needs a clock of 0 or more");
    find_microarchitecture(machine.microarchitecture);
}

std::string lack_of(const std::string &isa, const Machine &machine) {
    if (find_isa(isa).rank <= find_isa(machine.isa).rank) {
        return "";
    }
    const std::string ceiling =
        ", which is above the ceiling " + machine.max_isa + ", of UNSTRIDE_MAX_ISA or set_max_isa";
    return "needs " + isa + (machine.max_isa.empty() ? ", which this machine does not have" : ceiling);
}

int64_t slab_limit(const Machine &machine) {
    return std::clamp<int64_t>(machine.l2 / 2, 128 * 1024, 1024 * 1024);
}

double clock_hertz() {
    static const double hertz = [] {
        constexpr int64_t steps = 40'000;
        constexpr double latency = 3;  // cycles of a multiplication
        constexpr int repeats = 20;
        // The least time counts, as other threads may take the processor, and as it may first have to wake up.
        double least = time_chain(steps);
        for (int repeat = 0; repeat < repeats; repeat++) {
            least = std::min(least, time_chain(steps));
        }
        return latency * static_cast<double>(steps) / least;
    }();
    return hertz;
}

}  // namespace unstride
