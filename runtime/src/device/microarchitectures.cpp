// What cores can do in a cycle, as the makers' optimization guides have it (AMD's Software Optimization Guides for
// families 17h, 19h and 1Ah; Intel's Optimization Reference Manual), Agner Fog's tables and uops.info. Where they
// differ for one microarchitecture, or depend on the model, the table has what servers do. The rates are general
// knowledge of these sources, and no row but that of Zen 3 was compared with measurements of its processor as a whole.
// Those of ARM's cores are from its Software Optimization Guides (of the Neoverse N1, V1, N2 and V2), those of Apple's
// from Dougall Johnson's tables (dougallj.github.io/applecpu/firestorm.html), but for the bytes from caches, which are
// those of Zen 3.

#include "device/microarchitectures.h"

#include <iterator>

#include "unstride/error.h"
#include "unstride/machine.h"

namespace unstride {
namespace {

// Rates of the columns multiply_adds, loads, broadcasts, stores, shuffles.
constexpr VectorRates full{2, 2, 2, 1, 2}, half{1, 1, 1, 0.5, 1}, quarter{0.5, 0.5, 0.5, 0.25, 0.5};

// Zen 4 computes vectors of 64 bytes in two halves. The rate of its broadcasts is inferred: tiles of twice as many
// broadcasts for the same multiply-adds took 1.10 to 1.19 times as long.
constexpr VectorRates in_halves{1, 1, 0.5, 0.5, 1};

// Intel's cores shuffle in one of their units. Those of servers have two units that multiply and add 64 bytes, those of
// other processors one.
constexpr VectorRates intel{2, 2, 2, 1, 1}, intel_one_wide{1, 2, 2, 1, 1}, golden_cove{2, 3, 3, 2, 1};

// ARM's cores hand a sum on from one multiply-add to the next after two of its four cycles. A broadcast of the first
// two cores takes one of their units that multiply, but kernels load most numbers by themselves and multiply by an
// element.
constexpr VectorRates neoverse_n1{2, 2, 2, 1, 2}, neoverse_n2{2, 3, 3, 2, 2}, neoverse_v1{4, 3, 3, 2, 2},
    wide_arm{4, 3, 3, 2, 4};

// A core of which nothing is known is taken for one that has the rates of Zen 3 for all vectors. Of Zen 3, the bytes
// from caches were measured.
constexpr Microarchitecture table[] = {
    // name              16 bytes     32 bytes     64 bytes        latency  dot products  L2  beyond  storing, staging
    {"zen", full, half, quarter, 5, 1, 24, 8, 1, 1},
    {"zen2", full, full, half, 5, 1, 24, 10, 1, 1},
    {"zen3", full, full, half, 4, 1, 24, 10, 1, 1},
    {"zen4", full, full, in_halves, 4, 1, 24, 10, 1, 1},
    {"zen5", full, full, full, 4, 2, 40, 10, 1, 1},
    {"zen5_mobile", full, full, in_halves, 4, 1, 24, 10, 1, 1},
    {"intel_client", intel, intel, intel_one_wide, 4, 1, 32, 10, 1, 1},
    {"skylake_server", intel, intel, intel, 4, 1, 40, 8, 1, 1},
    {"icelake_server", intel, intel, intel, 4, 1, 40, 8, 1, 1},
    {"sapphire_rapids", golden_cove, golden_cove, intel, 4, 1, 40, 8, 1, 1},
    {"neoverse_n1", neoverse_n1, neoverse_n1, neoverse_n1, 2, 1, 24, 10, 1, 1},
    {"neoverse_n2", neoverse_n2, neoverse_n2, neoverse_n2, 2, 1, 24, 10, 1, 1},
    {"neoverse_v1", neoverse_v1, neoverse_v1, neoverse_v1, 2, 1, 24, 10, 1, 1},
    {"neoverse_v2", wide_arm, wide_arm, wide_arm, 2, 1, 24, 10, 1, 1},
    {"apple_m1", wide_arm, wide_arm, wide_arm, 4, 1, 24, 10, 1, 1},
    {"unknown", full, full, full, 4, 1, 24, 10, 1, 1},
};

// The models of a maker's family that have a microarchitecture, from `first` to `last`. The first row that fits counts.
// The family of ARM's is the implementer, whose list of parts the model is from.
struct Models {
    const char *vendor;
    int family, first, last;
    const char *microarchitecture;
};

constexpr const char *amd = "AuthenticAMD", *made_by_intel = "GenuineIntel", *arm = "ARM";
constexpr int by_arm = 0x41, by_apple = 0x61;

constexpr Models models[] = {
    {amd, 0x17, 0x00, 0x2f, "zen"},
    {amd, 0x17, 0x30, 0xaf, "zen2"},
    {amd, 0x19, 0x00, 0x0f, "zen3"},
    {amd, 0x19, 0x10, 0x1f, "zen4"},
    {amd, 0x19, 0x20, 0x5f, "zen3"},
    {amd, 0x19, 0x60, 0xaf, "zen4"},
    {amd, 0x1a, 0x00, 0x1f, "zen5"},
    {amd, 0x1a, 0x20, 0x2f, "zen5_mobile"},
    {amd, 0x1a, 0x30, 0x4f, "zen5"},
    {amd, 0x1a, 0x60, 0x6f, "zen5_mobile"},
    {amd, 0x1a, 0x70, 0x77, "zen5"},
    {made_by_intel, 6, 0x55, 0x55, "skylake_server"},  // and Cascade Lake, Cooper Lake
    {made_by_intel, 6, 0x6a, 0x6a, "icelake_server"},
    {made_by_intel, 6, 0x6c, 0x6c, "icelake_server"},
    {made_by_intel, 6, 0x8f, 0x8f, "sapphire_rapids"},
    {made_by_intel, 6, 0xad, 0xae, "sapphire_rapids"},  // Granite Rapids
    {made_by_intel, 6, 0xcf, 0xcf, "sapphire_rapids"},  // Emerald Rapids
    {made_by_intel, 6, 0x3c, 0xff, "intel_client"},     // from Haswell on
    {arm, by_arm, 0xd0c, 0xd0c, "neoverse_n1"},
    {arm, by_arm, 0xd40, 0xd40, "neoverse_v1"},
    {arm, by_arm, 0xd49, 0xd49, "neoverse_n2"},
    {arm, by_arm, 0xd4f, 0xd4f, "neoverse_v2"},
    {arm, by_apple, 0x022, 0x029, "apple_m1"},  // and its Pro and Max
    {arm, by_apple, 0x032, 0x039, "apple_m1"},  // M2, with the same rates
};

}  // namespace

const Microarchitecture &find_microarchitecture(const std::string &name) {
    std::string names;
    for (const Microarchitecture &each : table) {
        if (name == each.name) {
            return each;
        }
        const bool is_last = &each == std::end(table) - 1;
        names += is_last ? " or " : ", ";
        names += each.name;
    }
    throw InvalidArgument("there is no microarchitecture '" + name + "', but " + names.substr(2));
}

std::vector<std::string> microarchitectures() {
    std::vector<std::string> names;
    for (const Microarchitecture &each : table) {
        names.emplace_back(each.name);
    }
    return names;
}

std::string microarchitecture_of(const std::string &vendor, int family, int model) {
    for (const Models &m : models) {
        if (vendor == m.vendor && family == m.family && model >= m.first && model <= m.last) {
            return m.microarchitecture;
        }
    }
    return "unknown";
}

}  // namespace unstride
