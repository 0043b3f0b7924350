#include "plans.h"

#include <string>
#include <vector>

#include "bench/harness.h"
#include "unstride/unstride.h"

namespace unstride::tools {
namespace {

using Json = nlohmann::ordered_json;

Machine machine_of(const Json &json) {
    Machine machine;
    machine.isa = json.at("isa");
    machine.threads = json.at("threads");
    machine.l1d = json.at("l1d");
    machine.l2 = json.at("l2");
    machine.last_level = json.at("last_level");
    machine.clock_hertz = json.at("clock_hertz");
    machine.microarchitecture = json.at("microarchitecture");
    return machine;
}

}  // namespace

Json processor() {
    const Machine machine = this_machine();
    return {{"cpu", machine.cpu},
            {"microarchitecture", machine.microarchitecture},
            {"isa", machine.isa},
            {"threads", machine.threads},
            {"l1d", machine.l1d},
            {"l2", machine.l2},
            {"last_level", machine.last_level},
            {"clock_hertz", machine.clock_hertz}};
}

Json plans(const bench::Layer &layer, Layout layout, const Types &types, const Json &request) {
    ConvTranspose3d convolution(layer.options);
    // All weights are zero, which every type has: kernels of pairs are only for weights that bf16 has.
    const std::vector<float> zeros(convolution.weight().size());
    convolution.set_weight(zeros.data(), convolution.weight_shape());
    if (const std::string variant = request.value("variant", ""); !variant.empty()) {
        convolution.set_variant(variant);
    }
    Json answer = Json::array();
    for (const Json &machine : request.value("machines", Json::array({processor()}))) {
        const Plan plan = convolution.plan(layer.input_size, layout, {}, types, machine_of(machine));
        answer.push_back({{"variant", bench::variants_of(plan)},
                          {"rows", plan.rows_per_task},
                          {"seconds", plan.expected_seconds},
                          {"stores", plan.seconds_of_stores},
                          {"staging", plan.seconds_of_staging}});
    }
    return {{"plans", answer}};
}

}  // namespace unstride::tools
