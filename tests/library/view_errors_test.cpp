// Memory that a forward cannot take. It is refused, with a text, before anything is allocated or written.

#include <algorithm>
#include <limits>
#include <utility>

#include "support/catch_compat.h"
#include "support/errors.h"
#include "support/harness.h"

namespace unstride::tests {
namespace {

constexpr int64_t far = int64_t{1} << 40;

// A small layer with its input and output, which a test spoils in one respect.
struct Views {
    ConvTranspose3d layer{3, 5, 3, 2, 1, 1};
    std::vector<float> input_memory = std::vector<float>(4096, 1.f), output_memory = std::vector<float>(4096, 7.f);
    View<const float> input = dense_view<const float>(input_memory.data(), {2, 3, 2, 3, 4});
    View<float> output = dense_view(output_memory.data(), {2, 5, 4, 6, 8});

    std::string error() const {
        const std::string text = error_of<InvalidArgument>([&] { layer.forward(input, output); });
        const bool untouched = output_memory == std::vector<float>(4096, 7.f);
        return untouched ? text : text + ", and the output was written";
    }
};

TEST_CASE("views that are right are taken", "[errors]") {
    CHECK(Views().error() == "no error, and the output was written");
}

TEST_CASE("null and misaligned data", "[errors]") {
    Views no_input, no_output, odd;
    no_input.input.data = nullptr;
    CHECK(no_input.error() == "input is null");
    CHECK(error_of<InvalidArgument>([&] { no_input.layer.forward(no_input.input); }) == "input is null");
    no_output.output.data = nullptr;
    CHECK(no_output.error() == "output is null");
    odd.input.data = reinterpret_cast<const float *>(reinterpret_cast<const char *>(odd.input_memory.data()) + 2);
    CHECK(odd.error() == "input is not aligned to 4 bytes");
}

TEST_CASE("an output of the wrong shape", "[errors]") {
    Views channels, size, rank;
    channels.output.sizes[1] = 4;
    CHECK(channels.error() == "expected output of size [2, 5, 4, 6, 8], but got [2, 4, 4, 6, 8]");
    size.output.sizes[4] = 9;
    CHECK(size.error() == "expected output of size [2, 5, 3, 5, 7] to [2, 5, 4, 6, 8], but got [2, 5, 4, 6, 9]");
    rank.output = dense_view(rank.output_memory.data(), {5, 4, 6, 8});
    CHECK(rank.error() == "expected output of size [2, 5, 4, 6, 8], but got [5, 4, 6, 8]");

    // With a stride of 1 there is one size; an output padding that dilation allows gives another one.
    Tensor input({1, 3, 2, 3, 4}), output({1, 3, 9, 9, 9});
    const auto error = [&](const ConvTranspose3dOptions &o) {
        return error_of<InvalidArgument>([&] { ConvTranspose3d(o).forward(input.view(), output.view()); });
    };
    CHECK(error({3, 5, 3, 1, 1}) == "expected output of size [1, 5, 2, 3, 4], but got [1, 3, 9, 9, 9]");
    CHECK(error({3, 5, 3, 1, 0, 2, 1, with_bias, 3}) ==
          "expected output of size [1, 5, 8, 9, 10] or [1, 5, 10, 11, 12], but got [1, 3, 9, 9, 9]");
}

TEST_CASE("an output padding may come from the output's size alone", "[errors]") {
    const ConvTranspose3d layer(1, 1, 1, 3, 1);  // Without it, an input of one position has no output.
    Tensor input({1, 1, 1, 1, 1}), output({1, 1, 1, 1, 1});
    input.data()[0] = 1;
    CHECK(error_of<InvalidArgument>([&] { layer.forward(input.view(), output.view()); }) == "no error");
    CHECK(output.data()[0] == layer.bias()[0]);
}

TEST_CASE("strides of no layout, or of several, are taken", "[errors]") {
    Views sparse, mixed, negative;
    sparse.input.strides = {256, 72, 24, 8, 2};
    CHECK(sparse.error() == "no error, and the output was written");
    mixed.output.strides = dense_strides(mixed.output.sizes, Layout::ndhwc);
    CHECK(mixed.error() == "no error, and the output was written");
    negative.input.data += 12;
    negative.input.strides[2] = -12;
    CHECK(negative.error() == "no error, and the output was written");
}

TEST_CASE("strides that cannot be", "[errors]") {
    Views missing, distant, below, together;
    missing.input.strides.pop_back();
    CHECK(missing.error() == "input has 5 sizes, but 4 strides");
    distant.output.strides[2] = std::numeric_limits<int64_t>::max() / 2;
    CHECK(distant.error() == "sizes overflow 64-bit arithmetic");
    below.input.strides[2] = std::numeric_limits<int64_t>::min();
    CHECK(below.error() == "sizes overflow 64-bit arithmetic");
    together.input.strides[2] = together.input.strides[3] = far << 20;
    CHECK(together.error() == "sizes overflow 64-bit arithmetic");
}

TEST_CASE("an output whose elements share memory", "[errors]") {
    Views rows, broadcast;
    rows.output.strides[3] = 7;
    CHECK(rows.error() == "elements of output share memory: size [2, 5, 4, 6, 8], strides [960, 192, 48, 7, 1]");
    broadcast.output.strides[0] = 0;
    CHECK(broadcast.error() == "elements of output share memory: size [2, 5, 4, 6, 8], strides [0, 192, 48, 8, 1]");
    Views backwards;  // Rows go back by less than they are long.
    backwards.output.data += 64;
    backwards.output.strides[3] = -7;
    CHECK(backwards.error() == "elements of output share memory: size [2, 5, 4, 6, 8], strides [960, 192, 48, -7, 1]");
}

TEST_CASE("an output that overlaps the input", "[errors]") {
    Views inside, last;
    inside.input.data = inside.output_memory.data() + 100;
    CHECK(inside.error() == "input and output overlap");
    last.input.data = last.output_memory.data() + 2 * 5 * 4 * 6 * 8 - 1;
    CHECK(last.error() == "input and output overlap");
    Views backwards;  // The first element in memory is the last one of the input.
    backwards.input.data = backwards.output_memory.data() + 2 * 5 * 4 * 6 * 8 + 142;
    for (int64_t &stride : backwards.input.strides) {
        stride = -stride;
    }
    CHECK(backwards.error() == "input and output overlap");

    Views adjacent;  // They are in one allocation, but apart.
    adjacent.input.data = adjacent.output_memory.data() + 2 * 5 * 4 * 6 * 8;
    CHECK_NOTHROW(adjacent.layer.forward(adjacent.input, adjacent.output));
}

// Views of one array, as in a network whose layers each add channels to it.
TEST_CASE("input and output may be channels of the same array", "[errors]") {
    const ConvTranspose3d layer(3, 4, 3, 1, 1);
    for (const Layout layout : layouts) {
        Tensor array({2, 8, 3, 4, 5}, layout);
        std::fill_n(array.data(), array.element_count(), 1.f);
        const auto channels = [&](int64_t first, int64_t count) {
            View<float> view = array.view();
            view.data += first * view.strides[1];
            view.sizes[1] = count;
            return view;
        };
        const auto error = [&](const View<float> &input, const View<float> &output) {
            return error_of<InvalidArgument>([&] { layer.forward(input, output); });
        };
        Tensor apart({2, 3, 3, 4, 5}, layout);
        std::fill_n(apart.data(), apart.element_count(), 1.f);
        const std::vector<float> expected = dense_copy(layer.forward(apart.view()));
        for (const auto &[from, to] : {std::pair(0, 3), std::pair(0, 4), std::pair(5, 1), std::pair(4, 0)}) {
            std::fill_n(array.data(), array.element_count(), 1.f);
            CHECK(error(channels(from, 3), channels(to, 4)) == "no error");
            CHECK(dense_copy(channels(to, 4)) == expected);
            CHECK(dense_copy(channels(from, 3)) == dense_copy(apart));
        }
        for (const auto &[from, to] : {std::pair(0, 2), std::pair(0, 0), std::pair(3, 0), std::pair(5, 2)}) {
            CHECK(error(channels(from, 3), channels(to, 4)) == "input and output overlap");
        }
        View<float> later = channels(0, 3);  // It has a row in common with the output.
        later.data += later.strides[3];
        later.sizes[3] = 3;
        View<float> earlier = channels(2, 4);
        earlier.sizes[3] = 3;
        CHECK(error(later, earlier) == "input and output overlap");
    }
}

TEST_CASE("views are checked before memory is asked for", "[errors]") {
    const ConvTranspose3d layer(1, 1, 1);
    const Shape sizes{int64_t{1} << 38, 1, 1 << 10, 1 << 10, 1};
    const View<const float> null{nullptr, sizes, dense_strides(sizes, Layout::ncdhw)};
    CHECK(error_of<InvalidArgument>([&] { layer.forward(null); }) == "input is null");
}

}  // namespace
}  // namespace unstride::tests
