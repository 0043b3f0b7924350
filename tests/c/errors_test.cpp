// Every mistake in a call of the C API has a status and a text, and no exception gets out.

#include <thread>

#include "c_support.h"
#include "support/catch_compat.h"

namespace unstride::tests {
namespace {

// A layer of two dimensions, with arrays that fit it.
struct Call {
    Layer layer = make_layer(options_for({2, 3, {1, 2, 2}, {1, 2, 2}}, 2));
    OwnArray<float> input{UNSTRIDE_F32, {1, 2, 3, 4}}, output{UNSTRIDE_F32, {1, 3, 6, 8}},
        residual{UNSTRIDE_F32, {1, 3, 6, 8}}, grad_weight{UNSTRIDE_F32, {2, 3, 2, 2}}, grad_bias{UNSTRIDE_F32, {3}};
    unstride_call_options options{sizeof options, nullptr, nullptr, 0, 0};

    std::string forward() {
        return said(unstride_layer_forward(layer.get(), &input.array, &output.array, &residual.array, &options));
    }
};

std::string create(const unstride_layer_options &options) {
    unstride_layer *layer = nullptr;
    const std::string text = said(unstride_layer_create(&options, &layer));
    CHECK((layer != nullptr) == (text == "ok"));
    unstride_layer_destroy(layer);
    return text;
}

TEST_CASE("null pointers are refused", "[c]") {
    Call c;
    unstride_layer *const none = nullptr;
    const unstride_array *const in = &c.input.array, *const out = &c.output.array, *const weight = &c.grad_weight.array;
    const unstride_array *const bias = &c.grad_bias.array;
    const int64_t sizes[4] = {1, 2, 3, 4};
    int64_t found[4] = {};
    unstride_plan plan{};
    const std::string no_layer = "invalid argument: layer is null";
    unstride_layer_destroy(nullptr);
    CHECK(said(unstride_layer_create(nullptr, nullptr)) == "invalid argument: layer is null");
    unstride_layer *made = c.layer.get();
    CHECK(said(unstride_layer_create(nullptr, &made)) == "invalid argument: options is null");
    CHECK(made == nullptr);
    CHECK(said(unstride_layer_reset_parameters(none, 0)) == no_layer);
    CHECK(said(unstride_layer_set_weight(none, weight)) == no_layer);
    CHECK(said(unstride_layer_set_bias(none, bias)) == no_layer);
    CHECK(said(unstride_layer_get_weight(none, weight)) == no_layer);
    CHECK(said(unstride_layer_get_bias(none, bias)) == no_layer);
    CHECK(said(unstride_layer_set_weight(c.layer.get(), nullptr)) == "invalid argument: weight is null");
    CHECK(said(unstride_layer_set_bias(c.layer.get(), nullptr)) == "invalid argument: bias is null");
    CHECK(said(unstride_layer_get_weight(c.layer.get(), nullptr)) == "invalid argument: weight is null");
    CHECK(said(unstride_layer_get_bias(c.layer.get(), nullptr)) == "invalid argument: bias is null");
    CHECK(said(unstride_layer_set_activation(none, UNSTRIDE_RELU, nullptr, 0)) == no_layer);
    CHECK(said(unstride_layer_set_activation(c.layer.get(), UNSTRIDE_PRELU, nullptr, 1)) ==
          "invalid argument: parameters is null");
    CHECK(said(unstride_layer_set_device(none, UNSTRIDE_CPU)) == no_layer);
    CHECK(said(unstride_layer_set_variant(none, "", 0)) == no_layer);
    CHECK(said(unstride_layer_set_planning(none, UNSTRIDE_ESTIMATE)) == no_layer);
    CHECK(said(unstride_layer_output_shape(none, sizes, 4, nullptr, 0, found)) == no_layer);
    CHECK(said(unstride_layer_output_shape(c.layer.get(), nullptr, 4, nullptr, 0, found)) ==
          "invalid argument: input_sizes is null");
    CHECK(said(unstride_layer_output_shape(c.layer.get(), sizes, 4, nullptr, 2, found)) ==
          "invalid argument: output_size is null");
    CHECK(said(unstride_layer_output_shape(c.layer.get(), sizes, 4, nullptr, 0, nullptr)) ==
          "invalid argument: output_sizes is null");
    CHECK(said(unstride_layer_forward(none, in, out, nullptr, nullptr)) == no_layer);
    CHECK(said(unstride_layer_forward(c.layer.get(), nullptr, out, nullptr, nullptr)) ==
          "invalid argument: input is null");
    CHECK(said(unstride_layer_forward(c.layer.get(), in, nullptr, nullptr, nullptr)) ==
          "invalid argument: output is null");
    CHECK(said(unstride_layer_input_gradient(none, out, in, 0, nullptr)) == no_layer);
    CHECK(said(unstride_layer_input_gradient(c.layer.get(), nullptr, in, 0, nullptr)) ==
          "invalid argument: grad_output is null");
    CHECK(said(unstride_layer_input_gradient(c.layer.get(), out, nullptr, 0, nullptr)) ==
          "invalid argument: grad_input is null");
    CHECK(said(unstride_layer_weight_gradient(none, in, out, weight, 0, nullptr)) == no_layer);
    CHECK(said(unstride_layer_weight_gradient(c.layer.get(), nullptr, out, weight, 0, nullptr)) ==
          "invalid argument: input is null");
    CHECK(said(unstride_layer_weight_gradient(c.layer.get(), in, nullptr, weight, 0, nullptr)) ==
          "invalid argument: grad_output is null");
    CHECK(said(unstride_layer_weight_gradient(c.layer.get(), in, out, nullptr, 0, nullptr)) ==
          "invalid argument: grad_weight is null");
    CHECK(said(unstride_layer_bias_gradient(none, out, bias, 0, nullptr)) == no_layer);
    CHECK(said(unstride_layer_bias_gradient(c.layer.get(), nullptr, bias, 0, nullptr)) ==
          "invalid argument: grad_output is null");
    CHECK(said(unstride_layer_bias_gradient(c.layer.get(), out, nullptr, 0, nullptr)) ==
          "invalid argument: grad_bias is null");
    CHECK(said(unstride_layer_plan(none, sizes, 4, nullptr, &plan)) == no_layer);
    CHECK(said(unstride_layer_plan(c.layer.get(), nullptr, 4, nullptr, &plan)) ==
          "invalid argument: input_sizes is null");
    CHECK(said(unstride_layer_plan(c.layer.get(), sizes, 4, nullptr, nullptr)) == "invalid argument: plan is null");
    CHECK(said(unstride_variant_count(nullptr)) == "invalid argument: count is null");
    CHECK(said(unstride_variant_at(0, nullptr)) == "invalid argument: variant is null");
    CHECK(said(unstride_device_describe(UNSTRIDE_CPU, nullptr)) == "invalid argument: info is null");
    CHECK(said(unstride_num_threads(nullptr)) == "invalid argument: count is null");
    CHECK(said(unstride_set_max_isa(nullptr)) == "invalid argument: name is null");
    CHECK(said(unstride_max_isa(nullptr, 9, nullptr)) == "invalid argument: memory for the text is null");
    CHECK(said(unstride_wisdom_load(nullptr, nullptr)) == "invalid argument: path is null");
    CHECK(said(unstride_wisdom_read(nullptr, nullptr)) == "invalid argument: text is null");
    CHECK(said(unstride_wisdom_text(nullptr, 9, nullptr)) == "invalid argument: memory for the text is null");
    CHECK(said(unstride_wisdom_default_path(nullptr, 9, nullptr)) == "invalid argument: memory for the text is null");
}

TEST_CASE("parameters of a layer that cannot be", "[c]") {
    const unstride_layer_options good = options_for({2, 3, {1, 2, 2}, {1, 2, 2}}, 2);
    CHECK(create(good) == "ok");
    const auto with = [&](const auto &change) {
        unstride_layer_options options = good;
        change(options);
        return create(options);
    };
    CHECK(with([](auto &o) { o.in_channels = 0; }) ==
          "invalid argument: in_channels must be a positive integer, but got 0");
    CHECK(with([](auto &o) { o.stride[1] = -1; }) == "invalid argument: non-positive stride is not supported");
    CHECK(with([](auto &o) { o.groups = -1; }) == "invalid argument: groups must be a positive integer");
    CHECK(with([](auto &o) { o.spatial = 4; }) ==
          "invalid argument: 1, 2 or 3 dimensions of space are supported, but got 4");
    CHECK(with([](auto &o) { o.spatial = -1; }) ==
          "invalid argument: 1, 2 or 3 dimensions of space are supported, but got -1");
    CHECK(with([](auto &o) { o.reserved = 1; }) == "invalid argument: reserved must be 0, but is 1");
    CHECK(with([](auto &o) { o.dilation[2] = 1; }) ==
          "invalid argument: dilation has more numbers than the layer has dimensions of space, 2");
}

TEST_CASE("weights for which there is no memory", "[c]") {
#ifdef __SANITIZE_ADDRESS__
    SKIP_TEST("AddressSanitizer ends the process instead of throwing bad_alloc");
#endif
    const std::string text = create(options_for({int64_t{1} << 28, int64_t{1} << 28, {1, 2, 2}, {1, 2, 2}}, 2));
    CHECK(text.rfind("out of memory: out of memory: could not allocate the weights", 0) == 0);
}

TEST_CASE("structs of another version", "[c]") {
    struct Later {
        unstride_layer_options options;
        int64_t unknown;
    } later{options_for({2, 3, 2}), 0};
    later.options.size = sizeof later;
    CHECK(create(later.options) == "ok");
    later.unknown = 1;
    CHECK(create(later.options) == "invalid argument: options has options that this version of Unstride does not know");

    // What a shorter struct lacks has its default, whatever lies behind it.
    unstride_layer_options shorter = options_for({2, 3, 2});
    shorter.groups = 99;
    shorter.size = offsetof(unstride_layer_options, groups);
    CHECK(create(shorter) == "ok");
    for (size_t size : {size_t{0}, size_t{7}, size_t{1} << 40}) {
        shorter.size = size;
        CHECK(create(shorter) ==
              "invalid argument: options has size " + std::to_string(size) + ": set it to the sizeof of the struct");
    }

    Call c;
    c.options.size = 1;
    CHECK(c.forward() == "invalid argument: options has size 1: set it to the sizeof of the struct");

    // Results are written as far as the caller's struct goes, and what it has beyond ours becomes 0.
    const int64_t sizes[4] = {1, 2, 3, 4};
    struct LaterPlan {
        unstride_plan plan;
        int64_t unknown, behind;
    } plan{};
    plan.unknown = plan.behind = -1;
    plan.plan.size = offsetof(LaterPlan, behind);
    CHECK(said(unstride_layer_plan(c.layer.get(), sizes, 4, nullptr, &plan.plan)) == "ok");
    CHECK(plan.plan.size == offsetof(LaterPlan, behind));
    CHECK(plan.plan.tasks > 0);
    CHECK(plan.unknown == 0);
    CHECK(plan.behind == -1);
    plan.plan.size = offsetof(unstride_plan, tasks);
    plan.plan.tasks = -1;
    CHECK(said(unstride_layer_plan(c.layer.get(), sizes, 4, nullptr, &plan.plan)) == "ok");
    CHECK(plan.plan.tasks == -1);
    plan.plan.size = 0;
    CHECK(said(unstride_layer_plan(c.layer.get(), sizes, 4, nullptr, &plan.plan)) ==
          "invalid argument: plan has size 0: set it to the sizeof of the struct");
    unstride_wisdom_report report{};
    CHECK(said(unstride_wisdom_read("", &report)) ==
          "invalid argument: report has size 0: set it to the sizeof of the struct");
}

TEST_CASE("numbers that are none of the constants", "[c]") {
    Call c;
    unstride_layer *const layer = c.layer.get();
    const int64_t sizes[4] = {1, 2, 3, 4};
    CHECK(said(unstride_layer_set_activation(layer, 11, nullptr, 0)) ==
          "invalid argument: activation must be from 0 to 10, but is 11");
    CHECK(said(unstride_layer_set_activation(layer, -1, nullptr, 0)) ==
          "invalid argument: activation must be from 0 to 10, but is -1");
    CHECK(said(unstride_layer_set_device(layer, 0)) == "invalid argument: device is 0, which is none of UNSTRIDE_CPU, "
                                                       "UNSTRIDE_CUDA and UNSTRIDE_OPENCL");
    CHECK(said(unstride_layer_set_planning(layer, 3)) == "invalid argument: planning must be from 0 to 2, but is 3");
    CHECK(said(unstride_layer_input_gradient(layer, &c.output.array, &c.input.array, 2, nullptr)) ==
          "invalid argument: update must be from 0 to 1, but is 2");
    CHECK(said(unstride_layer_weight_gradient(layer, &c.input.array, &c.output.array, &c.grad_weight.array, -1,
                                              nullptr)) == "invalid argument: update must be from 0 to 1, but is -1");
    CHECK(said(unstride_layer_bias_gradient(layer, &c.output.array, &c.grad_bias.array, 2, nullptr)) ==
          "invalid argument: update must be from 0 to 1, but is 2");
    const auto plan_with = [&](const auto &change) {
        unstride_plan plan{};
        plan.size = sizeof plan;
        unstride_plan_options options{};
        options.size = sizeof options;
        change(options);
        return said(unstride_layer_plan(layer, sizes, 4, &options, &plan));
    };
    CHECK(plan_with([](auto &) {}) == "ok");
    CHECK(plan_with([](auto &o) { o.op = 4; }) == "invalid argument: op must be from 0 to 3, but is 4");
    CHECK(plan_with([](auto &o) { o.layout = 2; }) == "invalid argument: layout must be from 0 to 1, but is 2");
    CHECK(plan_with([](auto &o) { o.input_dtype = 5; }) ==
          "invalid argument: input has type 5, which is none of UNSTRIDE_F32, UNSTRIDE_F64, UNSTRIDE_F16 and "
          "UNSTRIDE_BF16");
    c.output.array.dtype = 0;
    CHECK(c.forward() == "invalid argument: output has type 0, which is none of UNSTRIDE_F32, UNSTRIDE_F64, "
                         "UNSTRIDE_F16 and UNSTRIDE_BF16");
}

TEST_CASE("activations with the wrong parameters", "[c]") {
    Call c;
    const double numbers[] = {2, 1, 0, 0};
    const auto set = [&](unstride_activation activation, int64_t count) {
        return said(unstride_layer_set_activation(c.layer.get(), activation, numbers, count));
    };
    const std::string takes = "invalid argument: the activation takes ";
    CHECK(set(UNSTRIDE_RELU, 1) == takes + "no parameters, but got 1");
    CHECK(set(UNSTRIDE_RELU, -1) == takes + "0 or more parameters, but got -1");
    CHECK(set(UNSTRIDE_LEAKY_RELU, 2) == takes + "no parameter or a slope, but got 2");
    CHECK(set(UNSTRIDE_PRELU, 0) == takes + "one slope, or one for each output channel, but got 0");
    CHECK(set(UNSTRIDE_PRELU, int64_t{1} << 60) ==
          takes + "one slope, or one for each output channel, but got 1152921504606846976");
    CHECK(set(UNSTRIDE_ELU, 2) == takes + "no parameter or alpha, but got 2");
    CHECK(set(UNSTRIDE_CLAMP, 1) == takes + "two parameters, low and high, but got 1");
    CHECK(set(UNSTRIDE_CLAMP, 2).rfind("invalid argument: clamp needs a low bound that is not above the high one", 0) ==
          0);
}

TEST_CASE("arrays that do not fit", "[c]") {
    const auto with = [&](const auto &change) {
        Call c;
        change(c);
        return c.forward();
    };
    const int64_t strides[4] = {24, 12, int64_t{1} << 61, 1};
    CHECK(with([](Call &) {}) == "ok");
    CHECK(with([](Call &c) { c.input.sizes[1] = 4; }) ==
          "invalid argument: Given transposed=1, weight of size [2, 3, 2, 2], expected input[1, 4, 3, 4] to have 2 "
          "channels, but got 4 channels instead");
    CHECK(with([](Call &c) {
              c.input.array.ndim = 5;
              c.input.sizes.push_back(1);
              c.input.array.sizes = c.input.sizes.data();
          }).rfind("invalid argument: Expected 3D (unbatched) or 4D (batched) input to conv_transpose2d", 0) == 0);
    CHECK(with([](Call &c) { c.input.array.ndim = -1; }) ==
          "invalid argument: input has -1 dimensions, which must be 0 to 64");
    CHECK(with([](Call &c) { c.input.array.ndim = 65; }) ==
          "invalid argument: input has 65 dimensions, which must be 0 to 64");
    CHECK(with([](Call &c) { c.input.array.sizes = nullptr; }) == "invalid argument: input is null");
    CHECK(with([](Call &c) { c.input.array.data = nullptr; }) == "invalid argument: input is null");
    CHECK(with([](Call &c) { c.input.array.byte_offset = 2; }) == "invalid argument: input is not aligned to 4 bytes");
    CHECK(with([&](Call &c) { c.input.array.strides = strides; }) ==
          "invalid argument: sizes overflow 64-bit arithmetic");
    CHECK(with([](Call &c) { c.output.sizes[2] = 9; }).rfind("invalid argument: ", 0) == 0);
    CHECK(with([](Call &c) { c.residual.sizes[2] = 5; }) ==
          "invalid argument: expected a residual of the output's size [1, 3, 6, 8], but got [1, 3, 5, 8]");
    CHECK(with([](Call &c) { c.residual.array.dtype = UNSTRIDE_F16; }) ==
          "invalid argument: expected a residual of the output's type f32, but got f16");
    CHECK(with([](Call &c) { c.output.array.dtype = UNSTRIDE_F16; }).rfind("invalid argument: ", 0) == 0);
    CHECK(with([](Call &c) { c.output.array.data = c.input.array.data; }) ==
          "invalid argument: input and output overlap");
    for (int64_t huge : {int64_t{1} << 62, int64_t{-1}}) {
        CHECK(with([&](Call &c) { c.input.sizes[0] = c.input.sizes[2] = huge; }).rfind("invalid argument: ", 0) == 0);
    }

    Call c;
    unstride_layer *const layer = c.layer.get();
    CHECK(said(unstride_layer_set_weight(layer, &c.input.array)) ==
          "invalid argument: size mismatch for weight: expected [2, 3, 2, 2], but got [1, 2, 3, 4]");
    c.grad_weight.array.strides = strides;
    CHECK(said(unstride_layer_set_weight(layer, &c.grad_weight.array)) ==
          "invalid argument: sizes overflow 64-bit arithmetic");
    const int64_t shared[4] = {12, 4, 1, 1};
    c.grad_weight.array.strides = shared;
    CHECK(said(unstride_layer_set_weight(layer, &c.grad_weight.array)) == "ok");
    CHECK(said(unstride_layer_get_weight(layer, &c.grad_weight.array)) ==
          "invalid argument: elements of weight share memory: size [2, 3, 2, 2], strides [12, 4, 1, 1]");
    c.grad_bias.sizes[0] = 2;
    CHECK(said(unstride_layer_set_bias(layer, &c.grad_bias.array)) ==
          "invalid argument: Given transposed=1, weight of size [2, 3, 2, 2], expected bias to be 1-dimensional with 3 "
          "elements, but got bias of size [2] instead");
    const Layer bare = make_layer(options_for({2, 3, 1, 1, 0, 0, 1, false}));
    CHECK(said(unstride_layer_get_bias(bare.get(), &c.grad_bias.array)) == "invalid argument: the layer has no bias");
}

TEST_CASE("arrays in memory of a device", "[c]") {
    Call c;
    c.options.cuda_stream = &c;
    CHECK(c.forward() == "invalid argument: cuda_stream is for arrays in memory of CUDA (UNSTRIDE_CUDA)");
    c.output.array.device_type = UNSTRIDE_CUDA;
    CHECK(c.forward() ==
          "invalid argument: input and output are in memory of different devices: got device_type 1 and 2");
    c.input.array.device_type = c.residual.array.device_type = UNSTRIDE_CUDA;
    CHECK(c.forward() == "invalid argument: a CudaStream is for layers on CUDA: see set_device");
    c.input.array.device_type = UNSTRIDE_OPENCL;
    CHECK(c.forward() == "invalid argument: input has device_type 4: arrays must be in memory of the process "
                         "(UNSTRIDE_CPU) or of CUDA (UNSTRIDE_CUDA)");
    c.grad_weight.array.device_type = UNSTRIDE_CUDA;
    CHECK(said(unstride_layer_set_weight(c.layer.get(), &c.grad_weight.array)) ==
          "invalid argument: weight must be in the process's memory (UNSTRIDE_CPU)");
    Call other;
    other.input.array.device_type = 0;  // as the process's memory
    CHECK(other.forward() == "ok");
}

TEST_CASE("each thread has the text of its own last error", "[c]") {
    const std::string before = unstride_last_error();
    std::string none, other;
    std::thread([&] {
        none = unstride_last_error();
        other = said(unstride_set_num_threads(0));
    }).join();
    CHECK(none.empty());
    CHECK(other.rfind("invalid argument: ", 0) == 0);
    CHECK(unstride_last_error() == before);
    CHECK(said(unstride_variant_count(nullptr)) == "invalid argument: count is null");
    int64_t count = 0;
    CHECK(said(unstride_variant_count(&count)) == "ok");
    CHECK(std::string(unstride_last_error()) == "count is null");  // a call that succeeds leaves it
    // A text that is too long is cut.
    const std::string name(5000, 'x');
    CHECK(said(unstride_set_max_isa(name.c_str())) != "ok");
    CHECK(std::strlen(unstride_last_error()) == 2047);
}

}  // namespace
}  // namespace unstride::tests
