// An autoscheduler that does what its parameter `how` asks for: nothing, which is a schedule too, or something that
// goes wrong.

#include <cstdlib>
#include <stdexcept>
#include <thread>
#include <vector>

#include "Halide.h"

namespace {

struct Failing {
    void operator()(const Halide::Pipeline &pipeline, const Halide::Target & /*target*/,
                    const Halide::AutoschedulerParams &params, Halide::AutoSchedulerResults * /*results*/) {
        const std::string how = params.extra.at("how");
        if (how == "error") {
            Halide::Func output = pipeline.outputs().front();
            output.reorder(Halide::Var("no_such_dimension"), output.args()[0]);
        } else if (how == "crash") {
            std::abort();
        } else if (how == "stall") {
            std::this_thread::sleep_for(std::chrono::hours(1));
        } else if (how == "memory") {
            for (std::vector<std::vector<char>> blocks;;) {
                blocks.emplace_back(64 << 20, 1);
            }
        } else if (how == "bounds") {
            Halide::Func output = pipeline.outputs().front();
            output.bound(output.args()[0], 0, 1);
        }
    }
};

[[maybe_unused]] const int registered = (Halide::Pipeline::add_autoscheduler("Failing", Failing()), 0);

}  // namespace
