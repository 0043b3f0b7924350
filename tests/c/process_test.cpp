// Plans, variants, devices, threads, instruction sets and wisdom through the C API.

#include <cstdio>
#include <fstream>
#include <set>

#include "c_support.h"
#include "support/catch_compat.h"

namespace unstride::tests {
namespace {

constexpr int64_t input_sizes[] = {1, 16, 4, 8, 8};

unstride_plan plan_of(const unstride_layer *layer, unstride_operator op = UNSTRIDE_FORWARD,
                      unstride_layout layout = UNSTRIDE_NCDHW) {
    unstride_plan_options options{};
    options.size = sizeof options;
    options.op = op;
    options.layout = layout;
    unstride_plan plan{};
    plan.size = sizeof plan;
    CHECK(said(unstride_layer_plan(layer, input_sizes, 5, &options, &plan)) == "ok");
    return plan;
}

// Returns the text that a function like unstride_max_isa writes.
template<typename Function>
std::string text_of(const Function &function) {
    size_t needed = 0;
    CHECK(said(function(nullptr, 0, &needed)) == "ok");
    std::string text(needed, '?');
    CHECK(said(function(text.data(), text.size(), nullptr)) == "ok");
    CHECK(text.back() == '\0');
    text.pop_back();
    return text;
}

TEST_CASE("the C API lists variants", "[c]") {
    int64_t count = 0;
    CHECK(said(unstride_variant_count(&count)) == "ok");
    std::set<std::string> names, isas;
    std::set<int32_t> operators, dtypes;
    for (int64_t i = 0; i < count; i++) {
        unstride_variant v{};
        v.size = sizeof v;
        CHECK(said(unstride_variant_at(i, &v)) == "ok");
        names.insert(v.name);
        isas.insert(v.isa);
        operators.insert(v.op);
        dtypes.insert(v.input_dtype);
        CHECK(std::string(v.name).find(v.family) != std::string::npos);
        CHECK((v.device == UNSTRIDE_CPU) == (std::string(v.isa) != "cuda" && std::string(v.isa) != "opencl"));
        CHECK(v.block > 0);
    }
    CHECK(static_cast<int64_t>(names.size()) == count);
    CHECK(isas.count("baseline") == 1);
    if (isas.count("avx2") == 1) {  // Builds for ARM have no kernels for GPUs.
        CHECK(isas.count("cuda") == 1);
        CHECK(isas.count("opencl") == 1);
    }
    CHECK(operators == std::set<int32_t>{UNSTRIDE_FORWARD, UNSTRIDE_INPUT_GRADIENT, UNSTRIDE_WEIGHT_GRADIENT,
                                         UNSTRIDE_BIAS_GRADIENT});
    CHECK(dtypes == std::set<int32_t>{UNSTRIDE_F32, UNSTRIDE_F64, UNSTRIDE_F16, UNSTRIDE_BF16});
    unstride_variant v{};
    v.size = sizeof v;
    for (int64_t index : {int64_t{-1}, count}) {
        CHECK(said(unstride_variant_at(index, &v)) == "invalid argument: there are " + std::to_string(count) +
                                                          " variants, and none at " + std::to_string(index));
    }
}

TEST_CASE("the C API plans, and forces variants", "[c]") {
    const Layer layer = make_layer(options_for({16, 8, 3, 2, 1, 1}));
    const unstride_plan plan = plan_of(layer.get());
    CHECK(std::string(plan.variant).rfind("ncdhw_", 0) == 0);
    CHECK(std::string(plan.reason).rfind("the least estimated time of", 0) == 0);
    CHECK(plan.channels == 8);
    CHECK(plan.tasks > 0);
    CHECK(plan.kernel_calls > 0);
    CHECK(plan.threads > 0);
    CHECK(plan.packed_bytes > 0);
    CHECK(plan.multiply_adds > 0);
    CHECK(plan.compulsory_bytes > 0);
    CHECK(plan.expected_seconds > 0);
    CHECK(plan.measured == 0);
    CHECK(plan.under_trial == 0);
    CHECK(std::string(plan_of(layer.get(), UNSTRIDE_FORWARD, UNSTRIDE_NDHWC).variant).rfind("ndhwc_", 0) == 0);
    CHECK(std::string(plan_of(layer.get(), UNSTRIDE_WEIGHT_GRADIENT).variant).rfind("weight_gradient_ncdhw_", 0) == 0);

    const char *const forced = "ndhwc_channels_8x4_s1_baseline";
    CHECK(said(unstride_layer_set_variant(layer.get(), forced, 2)) == "ok");
    const unstride_plan after = plan_of(layer.get(), UNSTRIDE_FORWARD, UNSTRIDE_NDHWC);
    CHECK(std::string(after.variant) == forced);
    CHECK(after.rows_per_task == 2);
    CHECK(said(unstride_layer_set_variant(layer.get(), nullptr, 0)) == "ok");
    CHECK(std::string(plan_of(layer.get()).variant) == plan.variant);
    CHECK(said(unstride_layer_set_variant(layer.get(), "no_such", 0)) == "invalid argument: unknown variant: no_such");

    CHECK(said(unstride_layer_set_planning(layer.get(), UNSTRIDE_MEASURE)) == "ok");
    CHECK(plan_of(layer.get()).under_trial == 1);
    CHECK(said(unstride_layer_set_planning(layer.get(), UNSTRIDE_ESTIMATE)) == "ok");
    CHECK(plan_of(layer.get()).under_trial == 0);
}

TEST_CASE("the C API describes devices", "[c]") {
    const Layer layer = make_layer(options_for({1, 1, 1}));
    for (unstride_device device : {UNSTRIDE_CPU, UNSTRIDE_CUDA, UNSTRIDE_OPENCL}) {
        unstride_device_info info{};
        info.size = sizeof info;
        const unstride_status status = unstride_device_describe(device, &info);
        const std::string text = unstride_last_error();
        CHECK(unstride_layer_set_device(layer.get(), device) == status);
        if (status == UNSTRIDE_OK) {
            CHECK(std::strlen(info.name) > 0);
            CHECK(info.processors > 0);
        } else {
            CHECK(device != UNSTRIDE_CPU);
            CHECK(status == UNSTRIDE_DEVICE_ERROR);
            CHECK(unstride_last_error() == text);
            CHECK(info.processors == 0);
        }
    }
}

TEST_CASE("the C API sets threads and the ceiling of instruction sets", "[c]") {
    int32_t before = 0, now = 0;
    CHECK(said(unstride_num_threads(&before)) == "ok");
    CHECK(said(unstride_set_num_threads(3)) == "ok");
    CHECK(said(unstride_num_threads(&now)) == "ok");
    CHECK(now == 3);
    CHECK(plan_of(make_layer(options_for({16, 8, 3, 2})).get()).threads == 3);
    CHECK(said(unstride_set_num_threads(257)).rfind("invalid argument: ", 0) == 0);
    CHECK(said(unstride_set_num_threads(before)) == "ok");

    const std::string ceiling = text_of(unstride_max_isa);
    CHECK(said(unstride_set_max_isa("baseline")) == "ok");
    CHECK(text_of(unstride_max_isa) == "baseline");
    char cut[5] = {};
    size_t needed = 0;
    CHECK(said(unstride_max_isa(cut, sizeof cut, &needed)) == "ok");
    CHECK(std::string(cut) == "base");
    CHECK(needed == 9);
    CHECK(said(unstride_set_max_isa("mmx")).rfind("invalid argument: ", 0) == 0);
    CHECK(said(unstride_set_max_isa(ceiling.c_str())) == "ok");
}

TEST_CASE("the C API keeps wisdom", "[c]") {
    CHECK(said(unstride_wisdom_forget()) == "ok");
    const std::string empty = text_of(unstride_wisdom_text);
    const Layer layer = make_layer(options_for({16, 8, 3, 2, 1, 1}));
    OwnArray<float> input(UNSTRIDE_F32, Shape(input_sizes, input_sizes + 5)), output(UNSTRIDE_F32, {1, 8, 8, 16, 16});
    CHECK(said(unstride_layer_set_planning(layer.get(), UNSTRIDE_REMEMBER)) == "ok");
    for (int i = 0; i < 100 && text_of(unstride_wisdom_text) == empty; i++) {
        CHECK(said(unstride_layer_forward(layer.get(), &input.array, &output.array, nullptr, nullptr)) == "ok");
    }
    const std::string wisdom = text_of(unstride_wisdom_text);
    CHECK(wisdom.size() > empty.size());
    CHECK(wisdom.rfind("unstride wisdom 1\n", 0) == 0);

    const Layer other = make_layer(options_for({16, 8, 3, 2, 1, 1}));
    CHECK(plan_of(other.get()).measured == 1);
    CHECK(said(unstride_wisdom_forget()) == "ok");
    CHECK(plan_of(other.get()).measured == 0);

    unstride_wisdom_report report{};
    report.size = sizeof report;
    CHECK(said(unstride_wisdom_read(wisdom.c_str(), &report)) == "ok");
    CHECK(report.found == 1);
    CHECK(report.is_wisdom == 1);
    CHECK(report.entries == 1);
    CHECK(report.other_machines == 0);
    CHECK(std::string(report.summary).empty());
    CHECK(plan_of(other.get()).measured == 1);
    CHECK(said(unstride_wisdom_forget()) == "ok");

    const std::string path = "c_test_wisdom_of_" + std::to_string(reinterpret_cast<uintptr_t>(&report)) + ".txt";
    std::ofstream(path) << wisdom;
    CHECK(said(unstride_wisdom_load(path.c_str(), nullptr)) == "ok");
    CHECK(plan_of(other.get()).measured == 1);
    std::remove(path.c_str());
    CHECK(said(unstride_wisdom_load(path.c_str(), &report)) == "ok");
    CHECK(report.found == 0);
    CHECK_FALSE(std::string(report.summary).empty());
    CHECK(said(unstride_wisdom_forget()) == "ok");
    text_of(unstride_wisdom_default_path);
}

TEST_CASE("the C API tells its version", "[c]") {
    CHECK(std::string(unstride_version()).find('.') != std::string::npos);
}

}  // namespace
}  // namespace unstride::tests
