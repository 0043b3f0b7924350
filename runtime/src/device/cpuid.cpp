// What processors of x86-64 tell of themselves, by their instruction CPUID.

#if defined(__x86_64__)

#include <cpuid.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "device/processor.h"
#include "unstride/machine.h"

namespace unstride {
namespace {

using Registers = std::array<unsigned, 4>;  // eax, ebx, ecx, edx

// Returns the processor's answer, or zeros for a leaf that it does not have.
Registers cpuid(unsigned leaf, unsigned subleaf = 0) {
    Registers r{};
    if (__get_cpuid_count(leaf, subleaf, r.data(), &r[1], &r[2], &r[3]) == 0) {
        r = {};
    }
    return r;
}

struct Signature {
    unsigned family, model;  // with their extensions
};

Signature signature() {
    const unsigned s = cpuid(1)[0], family = s >> 8 & 15, model = s >> 4 & 15;
    return {family == 15 ? family + (s >> 20 & 255) : family,
            family == 6 || family == 15 ? model + (s >> 12 & 240) : model};
}

std::string cpu_name() {
    std::string name;
    for (unsigned leaf = 0x80000002; leaf <= 0x80000004; leaf++) {
        const Registers r = cpuid(leaf);
        std::array<char, sizeof r> text{};
        std::memcpy(text.data(), r.data(), sizeof r);
        name.append(text.data(), std::find(text.begin(), text.end(), '\0') - text.begin());
    }
    const auto [family, model] = signature();
    return name + ", family " + std::to_string(family) + " model " + std::to_string(model);
}

std::string microarchitecture() {
    const Registers r = cpuid(0);
    std::array<char, 12> vendor{};
    for (size_t i = 0; i < 3; i++) {
        std::memcpy(vendor.data() + 4 * i, &r[std::array<size_t, 3>{1, 3, 2}[i]], 4);  // in ebx, edx and ecx
    }
    const auto [family, model] = signature();
    return microarchitecture_of({vendor.data(), vendor.size()}, static_cast<int>(family), static_cast<int>(model));
}

// Reads the sizes of caches from a leaf that has a subleaf for each cache: leaf 4 of Intel's processors or leaf
// 0x8000001d of AMD's, which have the same form. Unlike sysconf, they tell the size of one instance of a cache.
Caches cpuid_caches(unsigned leaf) {
    Caches caches{};
    for (unsigned subleaf = 0; subleaf < 16; subleaf++) {
        const Registers r = cpuid(leaf, subleaf);
        const unsigned type = r[0] & 31, level = r[0] >> 5 & 7;
        if (type == 0) {
            break;
        }
        const int64_t ways = (r[1] >> 22) + 1, partitions = (r[1] >> 12 & 1023) + 1, line = (r[1] & 4095) + 1;
        const int64_t bytes = ways * partitions * line * (int64_t{r[2]} + 1);
        const bool instructions = type == 2;
        if (!instructions) {
            cache_of_level(caches, static_cast<int>(level)) = bytes;
        }
    }
    return caches;
}

Caches caches() {
    const Caches amd = cpuid_caches(0x8000001d);
    return amd.l1d != 0 ? amd : cpuid_caches(4);
}

}  // namespace

ToldProcessor told_processor() {
    return {cpu_name(), microarchitecture(), caches()};
}

}  // namespace unstride

#endif
