#ifndef UNSTRIDE_TESTS_MACHINES_H
#define UNSTRIDE_TESTS_MACHINES_H

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "unstride/unstride.h"

namespace unstride::tests {

// Machines for tests of planning, which are the same on every host of one kind of processor.

constexpr int64_t kib = 1024, mib = 1024 * kib;

// Each has a CPU, instruction set, ceiling, threads, caches (L1d, L2 and last level), a clock and a microarchitecture.
inline const Machine zen3{"Zen 3", "avx2", "", 8, 32 * kib, 512 * kib, 32 * mib, 3.4e9, "zen3"};
inline const Machine zen4{"Zen 4", "avx512bf16", "", 8, 32 * kib, mib, 32 * mib, 3.7e9, "zen4"};
inline const Machine zen5{"Zen 5", "avx512bf16", "", 8, 48 * kib, mib, 32 * mib, 4.0e9, "zen5"};
inline const Machine sapphire_rapids{"Sapphire Rapids", "avx512bf16", "", 32, 48 * kib, 2 * mib, 105 * mib, 2.0e9,
                                     "sapphire_rapids"};
inline const Machine skylake{"Skylake server", "avx512", "", 4, 32 * kib, mib, 22 * mib, 2.5e9, "skylake_server"};
inline const Machine old_laptop{"old laptop", "baseline", "", 2, 32 * kib, 256 * kib, 3 * mib, 2.0e9, "unknown"};
inline const Machine unknown_machine{};

inline const Machine neoverse_n1{"Neoverse N1", "neon", "", 4, 64 * kib, mib, 32 * mib, 2.5e9, "neoverse_n1"};
inline const Machine neoverse_v1{"Neoverse V1", "neon", "", 8, 64 * kib, mib, 32 * mib, 2.6e9, "neoverse_v1"};
inline const Machine apple_m1{"Apple M1", "neon", "", 4, 128 * kib, 12 * mib, 12 * mib, 3.2e9, "apple_m1"};

// Whether this build is for processors with the machine's instruction set.
inline bool in_this_build(const Machine &machine) {
    const std::vector<InstructionSet> known = instruction_sets();
    return std::any_of(known.begin(), known.end(), [&](const InstructionSet &set) { return set.name == machine.isa; });
}

inline std::vector<Machine> machines_of_this_build() {
    std::vector<Machine> here;
    for (const Machine &machine : {zen3, zen4, zen5, sapphire_rapids, skylake, neoverse_v1, neoverse_n1, apple_m1,
                                   old_laptop, unknown_machine}) {
        if (in_this_build(machine)) {
            here.push_back(machine);
        }
    }
    return here;
}

// Those of this build, a typical one, and one that has all instruction sets.
inline const std::vector<Machine> machines = machines_of_this_build();
inline const Machine typical_machine = machines.front();
inline const Machine best_machine =
    *std::max_element(machines.begin(), machines.end(), [](const Machine &a, const Machine &b) {
        return instruction_set(a.isa).rank < instruction_set(b.isa).rank;
    });

// "a, b or c", for the instruction sets of all devices or of one, as messages list them.
inline std::string names_of_instruction_sets(std::optional<Device> device = std::nullopt) {
    std::vector<std::string> names;
    for (const InstructionSet &set : instruction_sets()) {
        if (!device || set.device == *device) {
            names.push_back(set.name);
        }
    }
    std::string text = names.front();
    for (size_t i = 1; i < names.size(); i++) {
        text += (i + 1 < names.size() ? ", " : " or ") + names[i];
    }
    return text;
}

}  // namespace unstride::tests

#endif
