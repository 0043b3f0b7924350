// What layers on a GPU have beside what layers have on the CPU.

#include <dlfcn.h>

#include <algorithm>
#include <limits>
#include <thread>

#include "support/catch_compat.h"
#include "support/errors.h"
#include "support/harness.h"

namespace unstride::tests {
namespace {

bool mentions(const std::string &text, const std::string &fragment) {
    return text.find(fragment) != std::string::npos;
}

const Case &example() {
    static const Case c({12, 20, 3, 2, 1, 1}, {2, 12, 3, 4, 7}, Data::reals, 1);
    return c;
}

TEST_CASE("arrays in a GPU's memory", "[gpu]") {
    const Case &c = example();
    const ConvTranspose3d layer = c.layer();
    for (const Layout layout : layouts) {
        DeviceTensor input(tested_device(), c.input_shape, layout), output(tested_device(), c.expected.sizes, layout);
        Tensor result(c.expected.sizes, layout);
        copy_into(result.view(), std::vector<float>(result.element_count(), std::numeric_limits<float>::quiet_NaN()));
        output.upload(result);
        input.upload(c.input_as(layout));
        layer.forward(input, output);
        output.synchronize();
        output.download(result);
        CHECK(mismatch(result, c) == "none");
        // One layer's output is the next one's input.
        const Case next({20, 3, 2, 2}, c.expected.sizes, Data::reals, 2);
        DeviceTensor last(tested_device(), next.expected.sizes, layout);
        next.layer().forward(output, last);
        Tensor from_gpu(next.expected.sizes, layout);
        last.download(from_gpu);
        CHECK(same_bits(dense_copy(from_gpu),
                        dense_copy(next.layer().forward(static_cast<const Tensor &>(result).view()))));
    }
}

TEST_CASE("a residual in a GPU's memory", "[gpu]") {
    const Case &c = example();
    ConvTranspose3d layer = c.layer();
    for (const Activation &activation : {Activation::relu(), Activation::silu()}) {
        layer.set_activation(activation);
        const Tensor input = c.input_as(Layout::ndhwc);
        Tensor residual(c.expected.sizes, Layout::ndhwc), expected(c.expected.sizes, Layout::ndhwc),
            result(c.expected.sizes, Layout::ndhwc);
        copy_into(residual.view(), std::vector<float>(residual.element_count(), 0.5F));
        layer.forward(input.view(), expected.view(), residual.view());
        DeviceTensor from(tested_device(), c.input_shape, Layout::ndhwc),
            to(tested_device(), c.expected.sizes, Layout::ndhwc);
        DeviceTensor added(tested_device(), c.expected.sizes, Layout::ndhwc);
        from.upload(input);
        added.upload(residual);
        layer.forward(from, to, added);
        to.download(result);
        CHECK(same_bits(dense_copy(result), dense_copy(expected)));
        if (tested_device() == Device::opencl) {
            CHECK(error_of<InvalidArgument>([&] { layer.forward(from, added, added); }) ==
                  "with OpenCL the residual may not be the output itself");
        } else {
            layer.forward(from, added, added);
            added.download(result);
            CHECK(same_bits(dense_copy(result), dense_copy(expected)));
        }
        const DeviceTensor turned(tested_device(), c.expected.sizes, Layout::ncdhw);
        CHECK(error_of<InvalidArgument>([&] { layer.forward(from, to, turned); }) ==
              "residual has layout ncdhw, and output ndhwc: both must have the same");
    }
}

TEST_CASE("an empty batch on a GPU", "[gpu]") {
    const Shape input_shape{0, 12, 3, 4, 7};
    const ConvTranspose3d layer = example().layer();
    DeviceTensor input(tested_device(), input_shape), output(tested_device(), layer.output_shape(input_shape));
    input.upload(Tensor(input_shape));
    layer.forward(input, output);
    Tensor result(output.sizes());
    output.download(result);
    CHECK(layer.forward(static_cast<const Tensor &>(Tensor(input_shape)).view()).element_count() == 0);
}

// Memory that an app has from CUDA's driver. It takes a GPU to run this; cuda_calls_test.cpp tests without one what is
// asked of a driver.
class CudaMemory {
public:
    explicit CudaMemory(int64_t count) : count_(count) {
        REQUIRE(function<int (*)(uint64_t *, size_t)>("cuMemAlloc_v2")(&pointer_, bytes()) == 0);
    }
    ~CudaMemory() {
        function<int (*)(uint64_t)>("cuMemFree_v2")(pointer_);
    }
    CudaMemory(const CudaMemory &) = delete;
    CudaMemory &operator=(const CudaMemory &) = delete;
    float *data() const {
        return reinterpret_cast<float *>(pointer_);  // NOLINT(performance-no-int-to-ptr): CUDA's own type
    }
    void upload(const std::vector<float> &from) {
        REQUIRE(function<int (*)(uint64_t, const void *, size_t)>("cuMemcpyHtoD_v2")(pointer_, from.data(), bytes()) ==
                0);
    }
    std::vector<float> download() const {
        std::vector<float> to(static_cast<size_t>(count_));
        REQUIRE(function<int (*)(void *, uint64_t, size_t)>("cuMemcpyDtoH_v2")(to.data(), pointer_, bytes()) == 0);
        return to;
    }

private:
    template<typename F>
    static F function(const char *name) {
        return reinterpret_cast<F>(dlsym(dlopen("libcuda.so.1", RTLD_NOW), name));
    }
    size_t bytes() const {
        return sizeof(float) * static_cast<size_t>(count_);
    }

    int64_t count_;
    uint64_t pointer_ = 0;
};

TEST_CASE("the app's own CUDA memory, wherever it begins", "[gpu]") {
    if (tested_device() != Device::cuda) {
        WARN("not tested: this is not CUDA");
        return;
    }
    const Case &c = example();
    const ConvTranspose3d layer = c.layer();
    (void)forward(layer, c, Layout::ncdhw);
    // The layer takes the device's primary context, as this thread has none of its own; so does the test.
    void *context = nullptr;
    void *library = dlopen("libcuda.so.1", RTLD_NOW);
    REQUIRE(reinterpret_cast<int (*)(void **, int)>(dlsym(library, "cuDevicePrimaryCtxRetain"))(&context, 0) == 0);
    REQUIRE(reinterpret_cast<int (*)(void *)>(dlsym(library, "cuCtxSetCurrent"))(context) == 0);
    for (const Layout layout : layouts) {
        for (const int64_t shift : {0, 1}) {       // in floats, from an aligned place
            for (const int64_t gap : {0, 4, 3}) {  // in floats, between the items
                const auto strides = [&](const Shape &sizes) {
                    Shape s = dense_strides(sizes, layout);
                    s[0] += gap;
                    return s;
                };
                const Shape from = strides(c.input_shape), to = strides(c.expected.sizes);
                const int64_t from_count = shift + c.input_shape[0] * from[0],
                              to_count = shift + c.expected.sizes[0] * to[0];
                std::vector<float> host_input(static_cast<size_t>(from_count)),
                    host_output(static_cast<size_t>(to_count), -7);
                copy_into({host_input.data() + shift, c.input_shape, from}, c.input);
                CudaMemory input(from_count), output(to_count);
                input.upload(host_input);
                output.upload(host_output);
                layer.forward(View<const float>{input.data() + shift, c.input_shape, from},
                              View<float>{output.data() + shift, c.expected.sizes, to}, CudaStream{});
                const std::vector<float> result = output.download();
                INFO(to_string(layout) << ", shift " << shift << ", gap " << gap);
                CHECK(mismatch(c.expected.sizes,
                               dense_copy(View<const float>{result.data() + shift, c.expected.sizes, to}),
                               c) == "none");
                CHECK(std::count(result.begin(), result.end(), -7.f) >= shift + gap * c.input_shape[0]);
            }
        }
    }
}

TEST_CASE("a GPU gives the same bits every time", "[gpu]") {
    for (const Layout layout : layouts) {
        const std::vector<float> first = dense_copy(forward(example().layer(), example(), layout));
        for (int i = 0; i < 3; i++) {
            CHECK(same_bits(dense_copy(forward(example().layer(), example(), layout)), first));
        }
    }
}

TEST_CASE("plans for a GPU, as measured on an H100", "[gpu]") {
    const auto planned = [](const ConvTranspose3dOptions &options, const Shape &input, Layout layout) {
        ConvTranspose3d layer(options);
        layer.set_device(tested_device());
        return layer.plan(input, layout).variant.name;
    };
    const ConvTranspose3dOptions few_positions{384, 64, 3, 2, 1, 1}, many_positions{128, 64, 2, 2};
    const ConvTranspose3dOptions one_channel{64, 1, 4, 2, 1};
    const std::string device = std::string("_") + to_string(tested_device());
    // Few warps wait less for the tile whose loop is unrolled, which has more of them.
    CHECK(planned(few_positions, {1, 384, 6, 6, 6}, Layout::ncdhw) == "ncdhw_columns_4x2_s1" + device);
    CHECK(planned(many_positions, {1, 128, 32, 32, 32}, Layout::ndhwc) == "ndhwc_quads_8x4_s1" + device);
    CHECK(planned(one_channel, {8, 64, 32, 32, 32}, Layout::ndhwc) == "ndhwc_quads_1x4_s1" + device);
    ConvTranspose3dOptions depthwise{64, 64, 3, 2, 1, 1};
    depthwise.groups = 64;
    CHECK(planned(depthwise, {1, 64, 16, 32, 32}, Layout::ncdhw) == "ncdhw_depthwise_1x4_s2" + device);
    CHECK(planned(depthwise, {1, 64, 16, 32, 32}, Layout::ndhwc) == "ndhwc_depthwise_32x4_s1" + device);
}

TEST_CASE("a plan for a GPU counts calls as the grid of a GPU limits them", "[gpu]") {
    ConvTranspose3d layer(1, 1, 1);
    layer.set_device(tested_device());
    const auto plan = [&](int64_t items) { return layer.plan({items, 1, 1, 1, 1}, Layout::ncdhw); };
    CHECK(plan(65535).kernel_calls == 1);
    if (tested_device() == Device::cuda) {
        CHECK(plan(65536).kernel_calls == 2);
        return;
    }
    const std::string refusal = "more than 65535 items of this size are not supported with OpenCL";
    CHECK(error_of<InvalidArgument>([&] { plan(65536); }) == refusal);
    const Tensor input({65536, 1, 1, 1, 1});
    CHECK(error_of<InvalidArgument>([&] { layer.forward(input.view()); }) == refusal);
}

TEST_CASE("several threads use one layer on a GPU at once", "[gpu]") {
    const ConvTranspose3d layer = example().layer();
    std::vector<std::string> results(4);
    std::vector<std::thread> threads;
    threads.reserve(results.size());
    for (std::string &result : results) {
        threads.emplace_back([&] { result = mismatch(forward(layer, example(), Layout::ncdhw), example()); });
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
    CHECK(results == std::vector<std::string>(4, "none"));
}

TEST_CASE("weights of a layer on a GPU can be changed", "[gpu]") {
    const Case other(example().options, example().input_shape, Data::reals, 9);
    ConvTranspose3d layer = example().layer();
    CHECK(mismatch(forward(layer, example(), Layout::ncdhw), example()) == "none");
    layer.set_weight(other.weight.data(), layer.weight_shape());
    layer.set_bias(other.bias.data(), layer.bias_shape());
    CHECK(mismatch(forward(layer, other, Layout::ncdhw), other) == "none");
}

TEST_CASE("a layer moves between devices", "[gpu]") {
    ConvTranspose3d layer = example().layer();
    layer.set_device(Device::cpu);
    CHECK(layer.device() == Device::cpu);
    CHECK(layer.plan(example().input_shape, Layout::ndhwc).variant.device == Device::cpu);
    CHECK(mismatch(forward(layer, example(), Layout::ndhwc), example()) == "none");
    layer.set_device(tested_device());
    const Plan plan = layer.plan(example().input_shape, Layout::ndhwc);
    CHECK(plan.variant.device == tested_device());
    CHECK(plan.scratch_bytes == 0);
    CHECK(mismatch(forward(layer, example(), Layout::ndhwc), example()) == "none");
}

TEST_CASE("mistakes with devices", "[gpu]") {
    const Case &c = example();
    ConvTranspose3d layer = c.layer();
    const Tensor input = c.input_as(Layout::ncdhw);
    Tensor output(c.expected.sizes);
    const Device other = tested_device() == Device::cuda ? Device::opencl : Device::cuda;

    for (const Variant &v : variants()) {
        if (v.device != tested_device()) {
            CHECK(mentions(error_of<InvalidArgument>([&] { layer.set_variant(v.name); }),
                           std::string("is for device ") + to_string(v.device)));
            break;
        }
    }
    for (const Variant &v : variants_here(Layout::ncdhw)) {
        if (takes(v, c.options)) {
            CHECK(error_of<InvalidArgument>([&] { layer.set_variant(v.name, 2); }) ==
                  "variant " + v.name + " has tasks of its own, for which rows_per_task must be 0");
        }
    }
    CHECK(mentions(error_of<InvalidArgument>([&] { layer.plan(c.input_shape, Layout::ncdhw, {}, {}, Machine()); }),
                   "for layers on the CPU"));
    bool exists = false;
    for (const DeviceInfo &info : devices()) {
        exists = exists || info.device == other;
    }
    if (!exists) {
        CHECK_THROWS_AS(layer.set_device(other), DeviceError);
        CHECK(layer.device() == tested_device());
        CHECK_THROWS_AS(DeviceTensor(other, {1, 2, 3, 4}), DeviceError);
    }
    CHECK_THROWS_AS(DeviceTensor(Device::cpu, {1, 2, 3, 4}), InvalidArgument);
    CHECK_THROWS_AS(DeviceTensor(tested_device(), {1, 2, 3}), InvalidArgument);
    CHECK_THROWS_AS(DeviceTensor(tested_device(), {1, 1, 1 << 16, 1 << 15, 1}), InvalidArgument);

    DeviceTensor device_input(tested_device(), c.input_shape), device_output(tested_device(), c.input_shape);
    CHECK(mentions(error_of<InvalidArgument>([&] { layer.forward(device_input, device_output); }), "output"));
    DeviceTensor turned(tested_device(), c.expected.sizes, Layout::ndhwc),
        plane(tested_device(), {1, 2, 3, 4}, Layout::ncdhw, 2);
    CHECK(plane.spatial() == 2);
    CHECK(mentions(error_of<InvalidArgument>([&] {
                       plane.upload(Tensor({1, 2, 3, 4}));
                   }),
                   "dimensions of space and type only"));
    CHECK(mentions(error_of<InvalidArgument>([&] { layer.forward(plane, device_output); }),
                   "the layer has 3 dimensions of space, its input 2"));
    CHECK(
        mentions(error_of<InvalidArgument>([&] { layer.forward(device_input, turned); }), ": both must have the same"));
    CHECK_THROWS_AS(turned.download(output), InvalidArgument);
    layer.set_device(Device::cpu);
    CHECK(mentions(error_of<InvalidArgument>([&] { layer.forward(device_input, turned); }), "device cpu"));
    CHECK(mentions(error_of<InvalidArgument>([&] { layer.forward(input.view(), output.view(), CudaStream{}); }),
                   "layers on CUDA"));
}

TEST_CASE("memory that a GPU does not have", "[gpu]") {
    if (tested_device() == Device::opencl) {
        WARN("not tested: OpenCL drivers may take memory only when it is written");
        return;
    }
    ConvTranspose3d layer = example().layer();
    const int64_t memory = device_info(tested_device()).memory_bytes;
    std::vector<DeviceTensor> all;
    const Shape sizes{1, 1, 1 << 10, 1 << 10, 1 << 10};
    CHECK_THROWS_AS(
        [&] {
            for (int64_t taken = 0; taken <= memory; taken += int64_t{4} << 30) {
                all.emplace_back(tested_device(), sizes);
            }
        }(),
        OutOfMemory);
    all.clear();
    CHECK(mismatch(forward(layer, example(), Layout::ncdhw), example()) == "none");
}

}  // namespace
}  // namespace unstride::tests
