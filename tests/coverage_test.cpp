// What the other tests cover on this machine: they run each variant whose instruction set it has, and say here which they lack.

#include <set>
#include <string>

#include "catch_compat.h"
#include "harness.h"

namespace unstride::tests {
namespace {

// Every variant of an instruction set runs here, or none does; one that is forced is the one planned.
void cover(const std::string &isa) {
    int all = 0, here = 0;
    for (const Variant &v : variants()) {
        if (v.isa != isa) {
            continue;
        }
        all++;
        here += v.runs_here() ? 1 : 0;
        if (v.runs_here()) {
            const ConvTranspose3dOptions options = fitted({8, 8, 3, 2, 1}, v);
            ConvTranspose3d layer(options);
            fill_weight(layer, 1);
            layer.set_variant(v.name);
            CHECK(layer.plan({1, options.in_channels, 4, 5, 6}, v.layout, {}, v.types).variant.name == v.name);
        }
    }
    CHECK((here == 0 || here == all));
    if (here == 0) {
        SKIP_TEST("no variant of " + isa + " runs on this machine, so " + std::to_string(all) + " are not tested here");
    }
}

TEST_CASE("baseline variants are tested", "[coverage]") {
    cover("baseline");
}

TEST_CASE("avx2 variants are tested", "[coverage]") {
    cover("avx2");
}

TEST_CASE("avx512 variants are tested", "[coverage]") {
    cover("avx512");
}

TEST_CASE("avx512bf16 variants are tested", "[coverage]") {
    cover("avx512bf16");
}

TEST_CASE("variants have names of their own", "[coverage]") {
    std::set<std::string> names;
    for (const Variant &v : variants()) {
        CHECK(names.insert(v.name).second);
    }
    CHECK(!names.empty());
}

}  // namespace
}  // namespace unstride::tests
