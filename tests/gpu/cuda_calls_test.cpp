// What the library asks of CUDA's driver, with the driver of support/fake_cuda.cpp in place of the real one.

#include <dlfcn.h>

#include <algorithm>
#include <functional>
#include <iterator>

#include "support/catch_compat.h"
#include "support/errors.h"
#include "support/fake_cuda.h"
#include "unstride/unstride.h"

namespace unstride::tests {
namespace {

using Calls = std::vector<std::string>;

FakeCuda &driver() {
    static FakeCuda &state = *[] {
        void *library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_GLOBAL);
        REQUIRE(library != nullptr);
        auto *function = reinterpret_cast<FakeCuda *(*)()>(dlsym(library, "fake_cuda"));
        REQUIRE(function != nullptr);  // It is missing from a real driver.
        return function();
    }();
    return state;
}

void *handle(uintptr_t number) {
    return reinterpret_cast<void *>(number);  // NOLINT(performance-no-int-to-ptr): a handle
}

// The calls that a piece of work makes.
template<typename F>
Calls calls_of(F work) {
    driver().calls.clear();
    work();
    return driver().calls;
}

int64_t count(const Calls &calls, const std::string &start) {
    return std::count_if(calls.begin(), calls.end(),
                         [&](const std::string &call) { return call.compare(0, start.size(), start) == 0; });
}

ConvTranspose3d make_layer() {
    driver();
    ConvTranspose3d layer(8, 16, 3, 2);
    layer.set_device(Device::cuda);
    return layer;
}

const Shape input_shape{2, 8, 3, 4, 5}, output_shape{2, 16, 7, 9, 11};

// These are arrays that no kernel reads or writes.
void forward_in(const ConvTranspose3d &layer, void *stream, Layout layout = Layout::ncdhw) {
    layer.forward(dense_view<const float>(static_cast<const float *>(handle(0x10000000)), input_shape, layout),
                  dense_view(static_cast<float *>(handle(0x20000000)), output_shape, layout), CudaStream{stream});
}

std::string launch(void *context, void *stream) {
    return "launch in context " + std::to_string(reinterpret_cast<uintptr_t>(context)) + ", stream " +
           std::to_string(reinterpret_cast<uintptr_t>(stream));
}

TEST_CASE("work goes to the caller's context and stream, and nothing waits", "[cuda]") {
    const ConvTranspose3d layer = make_layer();
    void *context = handle(0x2000), *stream = handle(0x3000);
    driver().stack = {context};
    const Calls first = calls_of([&] { forward_in(layer, stream); });
    CHECK(count(first, "load module, registers 255") == 1);
    CHECK(count(first, "allocate") == 2);  // These are weights and bias.
    CHECK(count(first, "upload") == 2);
    CHECK(count(first, launch(context, stream)) >= 1);
    // The weights are on the device before anything else can use them.
    const auto last_upload =
        std::find_if(first.rbegin(), first.rend(), [](const std::string &call) { return call.find("upload") == 0; });
    REQUIRE(last_upload != first.rbegin());
    CHECK(*std::prev(last_upload) == "synchronize stream " + std::to_string(reinterpret_cast<uintptr_t>(stream)));
    CHECK(count(first, "launch") == count(first, launch(context, stream)));

    const Calls second = calls_of([&] { forward_in(layer, stream); });
    CHECK(second == Calls(static_cast<size_t>(count(first, "launch")), launch(context, stream)));
    CHECK(driver().stack == std::vector<void *>{context});
    driver().stack.clear();
}

TEST_CASE("gradients of weights and bias are queued, and nothing waits", "[cuda]") {
    const ConvTranspose3d layer = make_layer();
    void *context = handle(0x2000), *stream = handle(0x3000);
    driver().stack = {context};
    const auto input = dense_view(static_cast<const float *>(handle(0x10000000)), input_shape),
               grad_output = dense_view(static_cast<const float *>(handle(0x20000000)), output_shape);
    auto *gradient = static_cast<float *>(handle(0x30000000));
    const auto weight = [&] {
        layer.weight_gradient(input, grad_output,
                              {gradient, layer.weight_shape(), dense_strides(layer.weight_shape(), Layout::ncdhw)},
                              Update::replace, CudaStream{stream});
    };
    const auto bias = [&] {
        layer.bias_gradient(grad_output, {gradient, layer.bias_shape(), {1}}, Update::accumulate, CudaStream{stream});
    };
    for (const std::function<void()> &queue : {std::function<void()>(weight), std::function<void()>(bias)}) {
        queue();  // This loads the kernels.
        const Calls calls = calls_of(queue);
        CHECK(count(calls, "synchronize") == 0);
        CHECK(count(calls, launch(context, stream)) == count(calls, "launch"));
        CHECK(count(calls, "launch") >= 2);
        const std::string in_stream = "in stream " + std::to_string(reinterpret_cast<uintptr_t>(stream));
        CHECK(count(calls, "allocate") == count(calls, "free " + in_stream));
        CHECK(count(calls, "free") == count(calls, "free " + in_stream));
        CHECK(calls.back() == "free " + in_stream);
    }
    CHECK(driver().stack == std::vector<void *>{context});
    driver().stack.clear();
}

TEST_CASE("each context has weights of its own", "[cuda]") {
    const ConvTranspose3d layer = make_layer();
    for (const uintptr_t number : {0x2000, 0x4000}) {
        driver().stack = {handle(number)};
        CHECK(count(calls_of([&] { forward_in(layer, nullptr); }), "upload") == 2);
        CHECK(count(calls_of([&] { forward_in(layer, nullptr); }), "upload") == 0);
    }
    driver().stack.clear();
}

TEST_CASE("freed memory goes back to the driver", "[cuda]") {
    CHECK(count(calls_of([] { const DeviceTensor array(Device::cuda, {1, 2, 3, 4, 5}); }), "free") == 1);
}

TEST_CASE("arrays are used in their own context", "[cuda]") {
    const ConvTranspose3d layer = make_layer();
    void *context = handle(0x2000);
    driver().stack = {context};
    const DeviceTensor input(Device::cuda, input_shape);
    DeviceTensor output(Device::cuda, output_shape);
    driver().stack = {handle(0x4000)};
    CHECK(count(calls_of([&] { layer.forward(input, output); }), launch(context, nullptr)) >= 1);
    DeviceTensor elsewhere(Device::cuda, output_shape);
    CHECK(error_of<InvalidArgument>([&] { layer.forward(input, elsewhere); }) ==
          "input and output are in different contexts of CUDA");
    driver().stack.clear();
}

TEST_CASE("GPUs that are too old are told apart", "[cuda]") {
    driver().capability = 7;
    CHECK(error_of<DeviceError>([] { make_layer(); }).find("compute capability 7.0, and 8.0 is needed") !=
          std::string::npos);
    driver().capability = 9;
}

TEST_CASE("without a context there is the device's primary one", "[cuda]") {
    const ConvTranspose3d layer = make_layer();
    const Calls calls = calls_of([&] { forward_in(layer, nullptr, Layout::ndhwc); });
    CHECK(count(calls, launch(FakeCuda::primary(), nullptr)) >= 1);
    CHECK(count(calls, "create context") == 0);
}

TEST_CASE("memory of the process is copied to the GPU and back", "[cuda]") {
    const ConvTranspose3d layer = make_layer();
    const Tensor input(input_shape);
    Tensor output(output_shape);
    layer.forward(input.view(), output.view());  // This uploads the weights.
    const Calls calls = calls_of([&] { layer.forward(input.view(), output.view()); });
    CHECK(count(calls, "upload " + std::to_string(sizeof(float) * static_cast<size_t>(input.element_count()))) == 1);
    CHECK(count(calls, "download " + std::to_string(sizeof(float) * static_cast<size_t>(output.element_count()))) == 1);
    CHECK(count(calls, "upload") == 1);
    CHECK(count(calls, "download") == 1);
}

TEST_CASE("memory that the GPU does not have is an error that leaves the layer usable", "[cuda]") {
    const ConvTranspose3d layer = make_layer();
    const size_t memory = driver().memory;
    driver().memory = 100;
    CHECK(error_of<OutOfMemory>([&] { forward_in(layer, nullptr); }).find("out of memory") == 0);
    driver().memory = memory;
    CHECK(count(calls_of([&] { forward_in(layer, nullptr); }), "launch") >= 1);
}

TEST_CASE("what the driver says of a GPU", "[cuda]") {
    driver();
    const DeviceInfo info = device_info(Device::cuda);
    CHECK(info.name == "A made-up GPU");
    CHECK(info.memory_bytes == int64_t{1} << 33);
    CHECK(info.processors == 100);
    CHECK(info.peak_flops == 2 * 1.5e9 * 100 * 128);
    CHECK(info.peak_bytes == 2e9 * 4096 / 8);
    CHECK(devices().back().name == info.name);
    const ConvTranspose3d layer = make_layer();
    const Plan plan = layer.plan(input_shape, Layout::ncdhw);
    CHECK(plan.variant.isa == "cuda");
    CHECK(plan.threads == 100);
    CHECK(plan.expected_seconds > 0);
}

}  // namespace
}  // namespace unstride::tests
