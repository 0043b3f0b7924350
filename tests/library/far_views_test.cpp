// Views with more than 2^31 elements between the items of a batch: kernels count with 32 bits, so there is a call for
// each item.

#include <sys/mman.h>

#include "support/catch_compat.h"
#include "support/harness.h"

namespace unstride::tests {
namespace {

// Addresses for many elements. Those that are not touched take no memory.
class SparseMemory {
public:
    explicit SparseMemory(int64_t elements)
        : bytes_(elements * sizeof(float)),
          address_(mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)) {
    }
    ~SparseMemory() {
        if (data() != nullptr) {
            munmap(address_, bytes_);
        }
    }
    SparseMemory(const SparseMemory &) = delete;
    SparseMemory &operator=(const SparseMemory &) = delete;

    float *data() const {
        return address_ == MAP_FAILED ? nullptr : static_cast<float *>(address_);
    }

private:
    size_t bytes_;
    void *address_;
};

TEST_CASE("items of a batch may lie far apart", "[properties]") {
    constexpr int64_t far = (int64_t{1} << 31) + 64;
    const Case c({3, 20, 3, 2, 1, 1}, {3, 3, 2, 3, 12}, Data::integers, 1);
    const SparseMemory memory(6 * far);
    if (memory.data() == nullptr) {
        SKIP_TEST("this machine does not give 48 GiB of addresses");
    }
    for (Layout layout : layouts) {
        View<float> source = dense_view(memory.data(), c.input_shape, layout);
        View<float> output = dense_view(memory.data() + 3 * far, c.expected.sizes, layout);
        source.strides[0] = output.strides[0] = far;
        copy_into(source, c.input);
        const View<const float> input{source.data, source.sizes, source.strides};
        const ConvTranspose3d layer = c.layer();
        layer.forward(input, output);
        CHECK(mismatch(output.sizes, dense_copy(View<const float>{output.data, output.sizes, output.strides}), c) ==
              "none");

        // The items of one array are far apart, those of the other are dense.
        Tensor dense(c.expected.sizes, layout);
        layer.forward(input, dense.view());
        CHECK(mismatch(dense, c) == "none");
        const Tensor dense_input = c.input_as(layout);
        copy_into(output, std::vector<float>(c.expected.values.size(), -99.f));
        layer.forward(dense_input.view(), output);
        CHECK(mismatch(output.sizes, dense_copy(View<const float>{output.data, output.sizes, output.strides}), c) ==
              "none");
    }
}

}  // namespace
}  // namespace unstride::tests
