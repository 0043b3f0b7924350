// Layers whose output channels do not fill blocks, which the planner may share among two variants.

#include <map>
#include <string>

#include "support/catch_compat.h"
#include "support/harness.h"
#include "support/machines.h"

namespace unstride::tests {
namespace {

TEST_CASE("a second variant computes the channels that do not fill a block", "[correctness]") {
    std::map<std::string, int> shared;  // by machine
    for (const Layout layout : layouts) {
        for (const int64_t groups : {1, 2}) {
            for (int64_t outputs = 15; outputs <= 67; outputs += 2) {
                ConvTranspose3dOptions options;
                options.in_channels = 8 * groups;
                options.out_channels = outputs * groups;
                options.kernel_size = {2, 3, 3};
                options.stride = 2;
                options.padding = {0, 1, 1};
                options.groups = groups;
                const Case c(options, {2, options.in_channels, 2, 3, 17}, Data::integers, 1);
                const ConvTranspose3d layer = c.layer();
                CHECK(mismatch(layer.forward(c.input_as(layout).view()), c) == "none");
                for (Machine machine : machines) {
                    machine.threads = 1;  // With more threads tasks are smaller, and stage more.
                    const Plan plan = layer.plan(c.input_shape, layout, {}, {}, machine);
                    INFO(machine.cpu << ", " << describe(options, c.input_shape) << ": " << plan.variant.name << " and "
                                     << plan.rest);
                    if (plan.rest.empty()) {
                        CHECK(plan.channels == options.out_channels);
                    } else {
                        CHECK(plan.channels % (plan.variant.block * groups) == 0);
                        CHECK(plan.channels < options.out_channels);
                        shared[machine.cpu]++;
                    }
                }
            }
        }
    }
    for (const Machine &machine : machines) {
        INFO(machine.cpu);
        CHECK((machine.isa == "baseline" || shared[machine.cpu] > 0));
    }
}

}  // namespace
}  // namespace unstride::tests
