// What the other tests cover on this machine: they run each variant whose instruction set it has, and say here which
// they lack.

#include <set>
#include <string>

#include "support/catch_compat.h"
#include "support/harness.h"

namespace unstride::tests {
namespace {

// How many variants of an instruction set there are. All of them run here, or none; and one that is forced is planned.
struct Coverage {
    int all, here;
};

Coverage cover(const std::string &isa) {
    Coverage result{0, 0};
    for (const Variant &v : variants()) {
        if (v.isa != isa) {
            continue;
        }
        result.all++;
        result.here += v.runs_here() ? 1 : 0;
        if (v.runs_here()) {
            const ConvTranspose3dOptions options = fitted({8, 8, 3, 2, 1}, v);
            ConvTranspose3d layer(options);
            fill_weight(layer, 1);
            layer.set_variant(v.name);
            CHECK(layer.plan({1, options.in_channels, 4, 5, 6}, v.layout, {}, v.types, v.op).variant.name == v.name);
        }
    }
    CHECK((result.here == 0 || result.here == result.all));
    return result;
}

TEST_CASE("variants of all instruction sets that are here are tested", "[coverage]") {
    for (const InstructionSet &isa : instruction_sets()) {
        if (isa.device == Device::cpu) {
            const Coverage coverage = cover(isa.name);
            INFO(isa.name);
            CHECK(coverage.all > 0);
            CHECK((coverage.here > 0) == (isa.rank <= instruction_set(this_machine().isa).rank));
        }
    }
}

TEST_CASE("no instruction set is missing here", "[coverage]") {
    int lacking = 0;
    for (const Variant &v : variants()) {
        lacking += v.runs_here() ? 0 : 1;
    }
    if (lacking > 0) {
        SKIP_TEST("this machine has no more than " + this_machine().isa + ", so that " + std::to_string(lacking) +
                  " variants are not tested");
    }
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
