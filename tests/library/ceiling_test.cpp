// set_max_isa: a ceiling for what layers run, those that were made before included. The ceiling of the environment is
// tested in tests/cli/ceiling_test.py, as a process reads it once.

#include <string>

#include "support/catch_compat.h"
#include "support/errors.h"
#include "support/harness.h"
#include "support/machines.h"
#include "support/settings.h"
#include "support/some_wisdom.h"

namespace unstride::tests {
namespace {

int rank_of(const std::string &isa) {
    return instruction_set(isa).rank;
}

TEST_CASE("instruction sets are told apart by rank", "[ceiling]") {
    const InstructionSet baseline = instruction_set("baseline");
    CHECK(baseline.rank == 0);
    for (const Variant &v : variants()) {
        const InstructionSet isa = instruction_set(v.isa);
        CHECK(isa.device == v.device);
        CHECK(isa.vector_bytes % 16 == 0);
        CHECK((isa.rank == 0 || isa.device == Device::cpu));
    }
}

TEST_CASE("what there is above the ceiling does not run here", "[ceiling]") {
    const Settings restored;
    for (const InstructionSet &ceiling : processor_isas()) {
        set_max_isa(ceiling.name);
        CHECK(max_isa() == ceiling.name);
        const Machine machine = this_machine();
        CHECK(machine.isa == ceiling.name);
        for (const Variant &v : variants()) {
            INFO(v.name << " below " << ceiling.name);
            CHECK(v.runs_here() == (rank_of(v.isa) <= ceiling.rank));
            CHECK(v.why_not_here().empty() == v.runs_here());
        }
    }
    set_max_isa("");
    CHECK(max_isa().empty());
    CHECK(this_machine().isa == processor_isas().back().name);
    CHECK(this_machine().max_isa.empty());
    // A ceiling above all that the processor has limits nothing.
    for (const InstructionSet &isa : instruction_sets()) {
        if (isa.device == Device::cpu && isa.rank >= processor_isas().back().rank) {
            set_max_isa(isa.name);
            CHECK(this_machine().isa == processor_isas().back().name);
            CHECK(this_machine().max_isa.empty());
        }
    }
}

TEST_CASE("layers follow the ceiling, those that were made before it, too", "[ceiling]") {
    const Settings restored;
    const Case c({16, 40, 3, 2, 1, 1, 2}, {3, 16, 4, 5, 11}, Data::integers, 1);
    set_max_isa("");
    const ConvTranspose3d layer = c.layer();
    const std::vector<InstructionSet> here = processor_isas();
    for (Layout layout : layouts) {
        const std::string unlimited = layer.plan(c.input_shape, layout).variant.name;
        for (const InstructionSet &ceiling : here) {
            set_max_isa(ceiling.name);
            const Plan plan = layer.plan(c.input_shape, layout);
            INFO(plan.variant.name << " below " << ceiling.name);
            CHECK(rank_of(plan.variant.isa) <= ceiling.rank);
            CHECK(mismatch(forward(layer, c, layout), c) == "none");
            Machine machine = this_machine();
            CHECK(layer.plan(c.input_shape, layout, {}, {}, machine).variant.name == plan.variant.name);
        }
        set_max_isa("");
        CHECK(layer.plan(c.input_shape, layout).variant.name == unlimited);
    }
}

TEST_CASE("a variant above the ceiling cannot be forced", "[ceiling][errors]") {
    const Settings restored;
    const Case c({16, 40, 3, 2, 1, 1}, {3, 16, 4, 5, 11}, Data::integers, 1);
    set_max_isa("");
    for (Layout layout : layouts) {
        for (const Variant &v : variants_here(layout)) {
            if (!takes(v, c.options) || rank_of(v.isa) == 0) {
                continue;
            }
            const std::string refused = "variant " + v.name + " needs " + v.isa +
                                        ", which is above the ceiling baseline, of UNSTRIDE_MAX_ISA or set_max_isa";
            ConvTranspose3d layer = c.layer(), other = c.layer();
            layer.set_variant(v.name);
            set_max_isa("baseline");
            CHECK(error_of<InvalidArgument>([&] { layer.plan(c.input_shape, layout); }) == refused);
            CHECK(error_of<InvalidArgument>([&] { forward(layer, c, layout); }) == refused);
            CHECK(error_of<InvalidArgument>([&] { other.set_variant(v.name); }) == refused);
            set_max_isa("");
            CHECK(mismatch(forward(layer, c, layout), c) == "none");
        }
    }
}

TEST_CASE("wisdom is for one ceiling", "[ceiling][wisdom]") {
    const NoWisdom none;
    const Settings restored;
    const std::vector<InstructionSet> here = processor_isas();
    for (const InstructionSet &ceiling : here) {
        set_max_isa(ceiling.name);
        add_wisdom(entry_for(candidates(grouped, Layout::ncdhw).back()));
    }
    const ConvTranspose3d layer(grouped);
    const auto check = [&] {
        for (const InstructionSet &ceiling : here) {
            set_max_isa(ceiling.name);
            CHECK(layer.plan(input_shape, Layout::ncdhw).measured);
            CHECK(layer.plan(input_shape, Layout::ncdhw).variant.name ==
                  candidates(grouped, Layout::ncdhw).back().name);
        }
    };
    check();
    const std::string text = wisdom_text();
    for (const InstructionSet &ceiling : here) {
        CHECK(text.find(" isa=" + ceiling.name + " ") != std::string::npos);
    }
    // Of a text, the entries of other ceilings count as those of other machines, until the ceiling is theirs.
    forget_wisdom();
    const WisdomReport report = read_wisdom(text);
    CHECK(report.entries == 1);
    CHECK(report.other_machines == static_cast<int64_t>(here.size()) - 1);
    check();
    CHECK(wisdom_text() == text);
    // A variant above the ceiling cannot win below it.
    set_max_isa("");
    const std::vector<Variant> all = candidates(grouped, Layout::ncdhw);
    set_max_isa("baseline");
    for (const Variant &v : all) {
        if (v.isa != "baseline") {
            CHECK(error_of<InvalidArgument>([&] {
                      add_wisdom(entry_for(v));
                  }).find("variant " + v.name + " needs " + v.isa) == 0);
        }
    }
}

TEST_CASE("a ceiling that is no instruction set of the CPU", "[ceiling][errors]") {
    const Settings restored;
    const std::string before = max_isa();
    for (const char *name : {"sse9", "AVX2", "cuda", "avx512 ", "all"}) {
        CHECK(error_of<InvalidArgument>([&] { set_max_isa(name); }) ==
              "set_max_isa: expected " + names_of_instruction_sets(Device::cpu) + ", but got '" + name + "'");
        CHECK(max_isa() == before);
    }
}

}  // namespace
}  // namespace unstride::tests
