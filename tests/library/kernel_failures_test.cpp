// Memory that cannot be had, and kernels that report an error: an exception, and a layer that works afterwards.

#include <algorithm>

#include "support/catch_compat.h"
#include "support/errors.h"
#include "support/harness.h"
#include "support/scratch_watch.h"

namespace unstride::tests {
namespace {

TEST_CASE("a kernel without memory for its scratch", "[errors]") {
    const int threads = num_threads();
    for (Layout layout : layouts) {
        for (const Variant &v : variants_here(layout)) {
            const ConvTranspose3dOptions options = fitted({8, 20, 3, {1, 2, 1}, 1, 0, 2}, v);
            const Case c(options, {2, options.in_channels, 4, 5, 9}, Data::integers, 1);
            ConvTranspose3d layer = c.layer();
            layer.set_variant(v.name);
            ScratchWatch watch;
            for (int count : {1, 3}) {
                set_num_threads(count);
                const int64_t before = watch.allocations();
                CHECK(mismatch(forward(layer, c, layout), c) == "none");
                const int64_t needed = watch.allocations() - before;
                for (int64_t granted : {int64_t{0}, needed / 2, needed - 1}) {
                    INFO(v.name << ", " << granted << " of " << needed << " allocations granted, " << count
                                << " threads");
                    watch.fail_after(granted);
                    CHECK(error_of<OutOfMemory>([&] { forward(layer, c, layout); }) ==
                          "out of memory: a kernel could not allocate its scratch");
                    CHECK(watch.live_bytes() == 0);
                }
                watch.fail_after(needed);
                CHECK(mismatch(forward(layer, c, layout), c) == "none");
                watch.allow_all();
            }
        }
    }
    set_num_threads(threads);
}

// There are several chunks, or a single one, whose weights are stored task by task.
TEST_CASE("a weight gradient without memory for its scratch", "[errors]") {
    const int64_t rows = GENERATE(16, 128);
    const ConvTranspose3d layer(8, 16, 3, 2, 1, 1);
    const Shape input_shape{1, 8, 6, rows, 32};
    Tensor input(input_shape), grad_output(layer.output_shape(input_shape)), gradient(layer.weight_shape());
    for (Tensor *tensor : {&input, &grad_output}) {
        std::fill(tensor->data(), tensor->data() + tensor->element_count(), 1.0F);
    }
    const auto compute = [&] { layer.weight_gradient(input.view(), grad_output.view(), gradient.view<void>()); };
    ScratchWatch watch;
    for (const int64_t allowed : {0, 1, 5}) {
        watch.fail_after(allowed);
        CHECK_THROWS_AS(compute(), OutOfMemory);
        CHECK(watch.live_bytes() == 0);
    }
    watch.allow_all();
    compute();
    // The middle tap of a kernel of three meets an output at every position of the input.
    CHECK(gradient.data()[1 * 9 + 1 * 3 + 1] == static_cast<float>(6 * rows * 32));
    CHECK(watch.peak_bytes() <=
          layer.plan(input_shape, Layout::ncdhw, {}, {}, Operator::weight_gradient).scratch_bytes);
}

TEST_CASE("a tensor that no machine has memory for", "[errors]") {
    constexpr int64_t many = int64_t{1} << 58;
    CHECK(error_of<OutOfMemory>([] {
              Tensor tensor({1, 1, 1, 1, many});
          }) == "out of memory: could not allocate " + std::to_string(4 * many) + " bytes for the output");
}

TEST_CASE("weights that no machine has memory for", "[errors]") {
#ifdef __SANITIZE_ADDRESS__
    SKIP_TEST("AddressSanitizer ends the process instead of throwing bad_alloc");
#endif
    CHECK(error_of<OutOfMemory>([] { ConvTranspose3d layer(int64_t{1} << 29, int64_t{1} << 29, 1); }) ==
          "out of memory: could not allocate the weights, of size [536870912, 536870912, 1, 1, 1]");
}

TEST_CASE("an output that no machine has memory for", "[errors]") {
    const Case c({1, 1, 1}, {1, 1, 2, 3, 4}, Data::integers, 1);
    const ConvTranspose3d layer = c.layer();
    const float value = 1;
    const View<const float> expanded{&value, {int64_t{1} << 38, 1, 1 << 10, 1 << 10, 1}, {0, 0, 0, 0, 1}};
    CHECK(error_of<OutOfMemory>([&] { layer.forward(expanded); }) ==
          "out of memory: could not allocate " + std::to_string(int64_t{4} << 58) + " bytes for the output");
    CHECK(mismatch(forward(layer, c, Layout::ncdhw), c) == "none");
}

}  // namespace
}  // namespace unstride::tests
