// What the planner knows of microarchitectures: how processors are recognized, and what it chooses for them.

#include <algorithm>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "support/catch_compat.h"
#include "support/harness.h"
#include "support/machines.h"

namespace unstride::tests {
namespace {

constexpr const char *amd = "AuthenticAMD", *intel = "GenuineIntel", *arm = "ARM";

TEST_CASE("processors are recognized by maker, family and model", "[planning]") {
    const struct {
        const char *vendor;
        int family, model;
        const char *name;
    } known[] = {
        {amd, 0x17, 0x01, "zen"},             // Naples
        {amd, 0x17, 0x31, "zen2"},            // Rome
        {amd, 0x17, 0x71, "zen2"},            // Matisse
        {amd, 0x19, 0x01, "zen3"},            // Milan
        {amd, 0x19, 0x50, "zen3"},            // Cezanne
        {amd, 0x19, 0x11, "zen4"},            // Genoa
        {amd, 0x19, 0x61, "zen4"},            // Raphael
        {amd, 0x19, 0xa0, "zen4"},            // Bergamo
        {amd, 0x1a, 0x02, "zen5"},            // Turin
        {amd, 0x1a, 0x44, "zen5"},            // Granite Ridge
        {amd, 0x1a, 0x24, "zen5_mobile"},     // Strix Point
        {intel, 6, 0x3f, "intel_client"},     // Haswell
        {intel, 6, 0x97, "intel_client"},     // Alder Lake
        {intel, 6, 0x55, "skylake_server"},   // Skylake server, Cascade Lake
        {intel, 6, 0x6a, "icelake_server"},   // Ice Lake server
        {intel, 6, 0x8f, "sapphire_rapids"},  // Sapphire Rapids
        {intel, 6, 0xcf, "sapphire_rapids"},  // Emerald Rapids
        {arm, 0x41, 0xd0c, "neoverse_n1"},    // Graviton2, Ampere Altra
        {arm, 0x41, 0xd40, "neoverse_v1"},    // Graviton3
        {arm, 0x41, 0xd49, "neoverse_n2"},    // Cobalt 100
        {arm, 0x41, 0xd4f, "neoverse_v2"},    // Graviton4, Grace
        {arm, 0x61, 0x023, "apple_m1"},       // M1
        {arm, 0x61, 0x039, "apple_m1"},       // M2 Max
        {arm, 0x41, 0xd03, "unknown"},        // Cortex-A53
        {amd, 0x15, 0x02, "unknown"},         // Piledriver
        {amd, 0x1b, 0x00, "unknown"},         // not made yet
        {amd, 6, 0x8f, "unknown"},            // The numbers mean nothing without the maker.
        {intel, 6, 0x2a, "unknown"},          // Sandy Bridge
        {intel, 0x19, 0x01, "unknown"},
        {"HygonGenuine", 0x18, 0x01, "unknown"},
        {"", 0, 0, "unknown"},
    };
    std::set<std::string> found;
    for (const auto &[vendor, family, model, name] : known) {
        INFO(vendor << " " << family << " " << model);
        CHECK(microarchitecture_of(vendor, family, model) == name);
        found.insert(name);
    }
    const std::vector<std::string> all = microarchitectures();
    CHECK(found == std::set<std::string>(all.begin(), all.end()));
    CHECK(all.back() == "unknown");
    CHECK(Machine().microarchitecture == "unknown");
    CHECK(std::count(all.begin(), all.end(), this_machine().microarchitecture) == 1);
}

TEST_CASE("all microarchitectures have plans for all instruction sets", "[planning]") {
    for (const std::string &name : microarchitectures()) {
        for (const InstructionSet &isa : instruction_sets()) {
            Machine machine = typical_machine;
            machine.microarchitecture = name;
            machine.isa = isa.name;
            if (isa.device != Device::cpu) {
                continue;
            }
            for (Layout layout : layouts) {
                const Plan plan = ConvTranspose3d(64, 32, 3, 2, 1).plan({1, 64, 8, 8, 8}, layout, {}, {}, machine);
                INFO(name << ", " << isa.name << ": " << plan.variant.name);
                CHECK(plan.expected_seconds > 0);
                CHECK(plan.expected_seconds < 1);
                CHECK(plan.seconds_of_stores > 0);
                CHECK(plan.seconds_of_staging > 0);
                CHECK(plan.seconds_of_stores + plan.seconds_of_staging < plan.expected_seconds);
            }
        }
    }
}

// A layer of bench/layers.csv.
struct Known {
    ConvTranspose3dOptions options;
    Shape input;
};

const Known seed1{{16, 33, 3, 2}, {4, 16, 10, 50, 100}}, nnunet_mid{{128, 64, 2, 2}, {1, 128, 32, 32, 32}},
    nnunet_top{{64, 32, 2, 2}, {1, 64, 64, 64, 64}},
    nnunet_aniso{{128, 64, {1, 2, 2}, {1, 2, 2}}, {1, 128, 16, 48, 48}},
    monai_unet{{384, 64, 3, 2, 1, 1}, {1, 384, 6, 6, 6}}, s1k3{{64, 64, 3, 1, 1}, {1, 64, 16, 32, 32}};

std::string choice(const Known &layer, Layout layout, Machine machine) {
    machine.threads = 2;
    return ConvTranspose3d(layer.options).plan(layer.input, layout, {}, {}, machine).variant.name;
}

// Zen 4 multiplies and adds vectors of 64 bytes half as often as those of 32, so that neither are faster as such. These
// tiles were measured to be the fastest there.
TEST_CASE("Zen 4 runs AVX2 kernels where their tiles fit better", "[planning]") {
    if (!in_this_build(zen4)) {
        return;
    }
    CHECK(choice(seed1, Layout::ncdhw, zen4) == "ncdhw_columns_6x16_s2_avx2");
    CHECK(choice(nnunet_top, Layout::ndhwc, zen4) == "ndhwc_channels_32x2_s1_k2s2_avx2");
    CHECK(choice(nnunet_aniso, Layout::ndhwc, zen4) == "ndhwc_channels_64x4_s1_k2s2_avx512");
    CHECK(choice(nnunet_mid, Layout::ndhwc, zen4) == "ndhwc_channels_64x4_s1_k2s2_avx512");
    CHECK(choice(monai_unet, Layout::ncdhw, zen4).find("ncdhw_winograd_16x6_") == 0);
    CHECK(choice(monai_unet, Layout::ndhwc, zen4) == "ndhwc_winograd_16x6_s1_avx2");
}

// Kernels of the baseline have tiles for fewer outputs, and are as fast.
TEST_CASE("ARM's cores run kernels of neon for most layers", "[planning]") {
    for (const Machine &machine : {neoverse_n1, neoverse_v1, apple_m1}) {
        if (!in_this_build(machine)) {
            continue;
        }
        int of_neon = 0;
        for (const Known &layer : {seed1, nnunet_mid, nnunet_top, nnunet_aniso, monai_unet, s1k3}) {
            for (Layout layout : layouts) {
                of_neon += choice(layer, layout, machine).find("_neon") != std::string::npos ? 1 : 0;
            }
        }
        INFO(machine.cpu);
        CHECK(of_neon >= 10);
    }
}

TEST_CASE("processors that are as fast with vectors of 64 bytes run AVX-512 kernels", "[planning]") {
    for (const Machine &machine : {zen5, sapphire_rapids, skylake}) {
        if (!in_this_build(machine)) {
            continue;
        }
        for (const Known &layer : {seed1, nnunet_mid, nnunet_top, nnunet_aniso, s1k3}) {
            for (Layout layout : layouts) {
                const std::string name = choice(layer, layout, machine);
                INFO(machine.cpu << ": " << name);
                CHECK(name.find("_avx512") != std::string::npos);
            }
        }
    }
}

}  // namespace
}  // namespace unstride::tests
