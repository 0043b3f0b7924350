// What is planned for machines that need not be this one: it follows from the machine that is given, and from nothing
// else.

#include <algorithm>
#include <limits>
#include <string>
#include <tuple>

#include "support/catch_compat.h"
#include "support/errors.h"
#include "support/harness.h"
#include "support/machines.h"
#include "support/settings.h"

namespace unstride::tests {
namespace {

const ConvTranspose3dOptions layers[] = {{64, 64, 3, 1, 1}, {64, 20, 4, 2, 1}, {30, 30, 3, {1, 2, 2}, 1, 0, 30},
                                         {64, 3, 4, 2, 1},  {9, 1, 3},         {16, 8, 2, 2}};

Plan plan_of(const ConvTranspose3dOptions &options, Layout layout, const Machine &machine, const Types &types = {}) {
    ConvTranspose3d layer(options);
    fill_weight(layer, 1);  // This is a number of bf16.
    return layer.plan({2, options.in_channels, 6, 24, 33}, layout, {}, types, machine);
}

auto all_of(const Plan &p) {
    return std::tuple(p.variant.name, p.rest, p.channels, p.reason, p.threads, p.tasks, p.rows_per_task, p.kernel_calls,
                      p.packed_bytes, p.scratch_bytes, p.expected_seconds, p.measured);
}

TEST_CASE("a plan depends on the machine that it is for, and not on the host", "[planning]") {
    const Settings restored;
    for (const Machine &machine : machines) {
        for (const ConvTranspose3dOptions &options : layers) {
            for (Layout layout : layouts) {
                set_max_isa("");
                set_num_threads(1);
                const Plan plan = plan_of(options, layout, machine);
                set_max_isa("baseline");
                set_num_threads(3);
                INFO(machine.cpu << ": " << plan.variant.name);
                CHECK(all_of(plan_of(options, layout, machine)) == all_of(plan));
                CHECK(plan.threads == machine.threads);
                CHECK(plan.scratch_bytes % machine.threads == 0);
            }
        }
    }
}

TEST_CASE("a machine runs kernels of instruction sets that it has, with FMA if it has that", "[planning]") {
    for (const Machine &machine : machines) {
        const InstructionSet best = instruction_set(machine.isa);
        for (const Types &types : supported_types()) {
            for (const ConvTranspose3dOptions &options : layers) {
                for (Layout layout : layouts) {
                    const Plan plan = plan_of(options, layout, machine, types);
                    for (const std::string &name : {plan.variant.name, plan.rest}) {
                        INFO(machine.cpu << ": " << name);
                        const auto found = std::find_if(variants().begin(), variants().end(),
                                                        [&](const Variant &v) { return v.name == name; });
                        if (!name.empty()) {
                            const InstructionSet isa = instruction_set(found->isa);
                            CHECK(isa.rank <= best.rank);
                            CHECK(isa.fma == best.fma);
                        }
                    }
                }
            }
        }
    }
}

TEST_CASE("the kernels of a plan are those of this machine where it is given", "[planning]") {
    for (const ConvTranspose3dOptions &options : layers) {
        for (Layout layout : layouts) {
            ConvTranspose3d layer(options);
            fill_weight(layer, 1);
            CHECK(all_of(layer.plan({2, options.in_channels, 6, 24, 33}, layout)) ==
                  all_of(plan_of(options, layout, this_machine())));
        }
    }
}

TEST_CASE("threads share the tasks of a plan", "[planning]") {
    for (Machine machine : machines) {
        for (Layout layout : layouts) {
            machine.threads = 1;
            const Plan one = plan_of(layers[0], layout, machine);
            machine.threads = 16;
            const Plan many = plan_of(layers[0], layout, machine);
            INFO(machine.cpu << ": " << one.tasks << " and " << many.tasks << " tasks");
            CHECK(many.tasks >= 12);  // A few threads may idle, where smaller tasks would not end earlier.
            CHECK(many.expected_seconds <= one.expected_seconds);
        }
    }
}

TEST_CASE("a larger cache makes tasks of more rows", "[planning]") {
    for (Layout layout : layouts) {
        for (const InstructionSet &isa : instruction_sets()) {
            if (isa.device != Device::cpu) {
                continue;
            }
            Machine machine;
            machine.isa = isa.name;
            ConvTranspose3d layer(256, 64, 2, 2);
            const auto rows = [&](int64_t l2) {
                machine.l2 = l2;
                return layer.plan({1, 256, 8, 64, 64}, layout, {}, {}, machine).rows_per_task;
            };
            CHECK(rows(256 * kib) < rows(2 * mib));
            CHECK(rows(2 * mib) == rows(64 * mib));  // More than a mebibyte of input is no better.
        }
    }
}

TEST_CASE("the clock turns cycles into seconds", "[planning]") {
    for (Layout layout : layouts) {
        Machine machine = typical_machine;
        const double seconds = plan_of(layers[0], layout, machine).expected_seconds;
        CHECK(seconds > 0);
        machine.clock_hertz *= 2;
        CHECK(plan_of(layers[0], layout, machine).expected_seconds == seconds / 2);
        machine.clock_hertz = 0;
        CHECK(plan_of(layers[0], layout, machine).expected_seconds == 0);
        CHECK(
            ConvTranspose3d(layers[0]).plan({64, 64, 20, 40, 40}, layout, {}, {}, typical_machine).expected_seconds >
            16 *
                ConvTranspose3d(layers[0]).plan({1, 64, 20, 40, 40}, layout, {}, {}, typical_machine).expected_seconds);
        CHECK(ConvTranspose3d(layers[0]).plan({0, 64, 20, 40, 40}, layout, {}, {}, typical_machine).expected_seconds ==
              0);
    }
}

TEST_CASE("a plan counts calls for as many items as 32 bits can number", "[planning]") {
    // A long row is computed in three pieces, with 2^26 elements from one item to the next: 31 items make a call.
    const ConvTranspose1d layer(16, 16, 3, 1, 1);
    CHECK(layer.plan({64, 16, int64_t{1} << 22}, Layout::ncdhw, {}, {}, typical_machine).kernel_calls == 9);
    CHECK(layer.plan({31, 16, int64_t{1} << 22}, Layout::ncdhw, {}, {}, typical_machine).kernel_calls == 3);
}

TEST_CASE("plans are for any number of threads, and for none of the batch", "[planning]") {
    Machine machine = typical_machine;
    for (const int threads : {1 << 29, 1 << 30, std::numeric_limits<int>::max()}) {
        machine.threads = threads;
        for (const Layout layout : {Layout::ncdhw, Layout::ndhwc}) {
            CHECK(ConvTranspose3d(layers[0]).plan({2, 64, 20, 40, 40}, layout, {}, {}, machine).threads == threads);
        }
    }
    const Plan empty = ConvTranspose3d(layers[0]).plan({0, 64, 20, 40, 40}, Layout::ncdhw, {}, {}, typical_machine);
    CHECK(empty.reason.find(": 0 % of it in the multiply-adds, 0 % in stores, 0 % in staging") != std::string::npos);
}

TEST_CASE("a machine that cannot be is refused", "[planning][errors]") {
    const auto refused = [](void (*change)(Machine &)) {
        Machine machine = typical_machine;
        change(machine);
        return error_of<InvalidArgument>([&] { plan_of(layers[0], Layout::ncdhw, machine); });
    };
    CHECK(refused([](Machine &) {}) == "no error");
    CHECK(refused([](Machine &m) { m.isa = "mmx"; }) ==
          "there is no instruction set 'mmx', but " + names_of_instruction_sets());
    for (const InstructionSet &isa : instruction_sets()) {
        if (isa.device != Device::cpu) {
            Machine machine = typical_machine;
            machine.isa = isa.name;
            CHECK(error_of<InvalidArgument>([&] { plan_of(layers[0], Layout::ncdhw, machine); }) ==
                  "the machine needs an instruction set of the CPU, but has " + isa.name);
        }
    }
    CHECK(refused([](Machine &m) { m.threads = 0; }) == "the machine needs a thread, but has 0");
    CHECK(refused([](Machine &m) {
              m.microarchitecture = "zen6";
          }).find("there is no microarchitecture 'zen6', but zen, zen2, zen3, zen4") == 0);
    CHECK(refused([](Machine &m) { m.l2 = 0; }) == "the machine needs caches of more than 0 bytes");
    CHECK(refused([](Machine &m) { m.clock_hertz = -1; }) == "the machine needs a clock of 0 or more");
    CHECK(instruction_set("baseline").vector_bytes == 16);
    CHECK_THROWS_AS(instruction_set(""), InvalidArgument);
}

TEST_CASE("a forced variant needs the instructions of the machine that is planned for", "[planning][errors]") {
    for (Layout layout : layouts) {
        for (const Variant &v : variants_here(layout)) {
            if (v.isa == "baseline" || !takes(v, layers[0])) {
                continue;
            }
            ConvTranspose3d layer(layers[0]);
            layer.set_variant(v.name);
            CHECK(layer.plan({1, 64, 3, 4, 5}, layout, {}, {}, best_machine).variant.name == v.name);
            CHECK(error_of<InvalidArgument>([&] {
                      layer.plan({1, 64, 3, 4, 5}, layout, {}, {}, old_laptop);
                  }) == "variant " + v.name + " needs " + v.isa + ", which this machine does not have");
        }
    }
}

TEST_CASE("pairs are planned where a processor has them", "[planning][pairs]") {
    for (const Machine &machine : machines) {
        // pairs_test.cpp has kernels of pairs for the baseline, which run where that has fused multiply-adds, too.
        if (machine.isa == "baseline" || instruction_set("baseline").fma) {
            continue;
        }
        const bool here = machine.isa == "avx512bf16";
        for (Layout layout : layouts) {
            const auto family = [&](const ConvTranspose3dOptions &options, float weight, const Types &types) {
                ConvTranspose3d layer(options);
                fill_weight(layer, weight);
                return layer.plan({1, options.in_channels, 4, 5, 6}, layout, {}, types, machine).variant.family;
            };
            const ConvTranspose3dOptions many{32, 32, 3, 2, 1}, few{32, 2, 4, 2, 1};
            INFO(machine.cpu);
            CHECK((family(many, 1, DType::bf16) == "pairs") == here);
            CHECK((family(many, 1, {DType::bf16, DType::f32}) == "pairs") == here);
            // Minimal filters save nearly as much as pairs do at best.
            CHECK(family({64, 64, 3, 1, 1}, 1, DType::bf16) == "winograd");
            CHECK(family({64, 64, {4, 3, 4}, {2, 1, 2}, 1}, 1, DType::bf16) == "winograd");
            CHECK(family(many, 1.F / 3, DType::bf16) != "pairs");  // This is no number of bf16.
            CHECK(family(many, 1, DType::f16) != "pairs");
            CHECK(family(few, 1, DType::bf16) == "taps");
        }
    }
}

}  // namespace
}  // namespace unstride::tests
