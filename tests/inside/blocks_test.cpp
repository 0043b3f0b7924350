// Calls that are cut into blocks have the bits of those in one piece. Limits that are lowered here let every problem of
// the table be cut, and arrays of any strides be copied in several blocks.

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <vector>

#include "run/block_limits.h"
#include "support/catch_compat.h"
#include "support/harness.h"
#include "support/problems.h"

namespace unstride::tests {
namespace {

class LoweredLimits {
public:
    explicit LoweredLimits(const BlockLimits &limits) {
        set_block_limits(limits);
    }
    ~LoweredLimits() {
        set_block_limits(usual_);
    }
    LoweredLimits(const LoweredLimits &) = delete;
    LoweredLimits &operator=(const LoweredLimits &) = delete;

private:
    const BlockLimits usual_ = block_limits();
};

// How an array lies in memory.
enum class Order {
    columns,       // ncdhw
    channels,      // ndhwc
    every_second,  // every second element along each dimension
    transposed,    // columns outermost, the batch innermost
    backwards,     // ncdhw, from the last element to the first
    mixed,         // slices innermost, backwards, with a gap after each column
    repeated,      // the same channels and rows again and again
};
constexpr Order any_strides[] = {Order::every_second, Order::transposed, Order::backwards, Order::mixed};

Shape strides_of(const Shape &sizes, Order order) {
    if (order == Order::columns || order == Order::channels) {
        return dense_strides(sizes, order == Order::columns ? Layout::ncdhw : Layout::ndhwc);
    }
    std::vector<size_t> dimensions = {4, 3, 2, 1, 0};  // innermost first
    if (order == Order::transposed) {
        dimensions = {0, 1, 2, 3, 4};
    } else if (order == Order::mixed) {
        dimensions = {2, 4, 0, 1, 3};
    }
    Shape strides(sizes.size());
    int64_t next = 1;
    for (const size_t d : dimensions) {
        next += order == Order::mixed && d == 4 ? 3 : 0;
        next *= order == Order::every_second ? 2 : 1;
        const bool forwards = order == Order::every_second || order == Order::transposed ||
                              (order == Order::mixed && d != 2) || order == Order::repeated;
        strides[d] = order == Order::repeated && (d == 1 || d == 3) ? 0 : (forwards ? next : -next);
        next *= sizes[d];
    }
    return strides;
}

// An array in memory of its own.
class Placed {
public:
    Placed(const Shape &sizes, DType dtype, Order order, const std::vector<double> &numbers)
        : sizes_(sizes), strides_(strides_of(sizes, order)), dtype_(dtype) {
        int64_t last = 0;
        for (size_t d = 0; d < sizes.size(); d++) {
            (strides_[d] < 0 ? first_ : last) += std::abs(strides_[d]) * (sizes[d] - 1);
        }
        memory_.assign(static_cast<size_t>((first_ + last + 1) * size_of(dtype)), free);
        copy_into(view(), numbers);
    }

    View<void> view() {
        return {memory_.data() + first_ * size_of(dtype_), dtype_, sizes_, strides_};
    }

    // Returns the numbers, after which the array has none any more. Checks that memory between them was not written to.
    std::vector<double> take() {
        const View<void> all = view();
        const std::vector<double> numbers = numbers_of(all);
        for (const int64_t place : offsets(sizes_, strides_)) {
            std::memset(static_cast<char *>(all.data) + place * size_of(dtype_), free, size_t(size_of(dtype_)));
        }
        CHECK(std::all_of(memory_.begin(), memory_.end(), [](char byte) { return byte == free; }));
        return numbers;
    }

private:
    static constexpr char free = 0x55;

    const Shape sizes_, strides_;
    const DType dtype_;
    int64_t first_ = 0;
    std::vector<char> memory_;
};

// A layer with the numbers that its calls read.
struct Calls {
    ConvTranspose3dOptions options;
    Types types;
    Shape input_shape, output_shape;
    std::vector<double> weight, input, grad_output, residual, before;

    Calls(const ConvTranspose3dOptions &options, const Shape &input_shape, Data data, const Types &types = {})
        : options(options), types(types), input_shape(input_shape),
          output_shape(ConvTranspose3d(options).output_shape(input_shape)) {
        std::mt19937 random(3);
        const auto numbers = [&](const Shape &sizes, DType type) {
            return make_data<double>(element_count(sizes), data, random, type);
        };
        weight = numbers(ConvTranspose3d(options).weight_shape(), types.input);
        input = numbers(input_shape, types.input);
        grad_output = numbers(output_shape, types.input);
        residual = numbers(output_shape, types.output);
        before = numbers(input_shape, types.input);
    }

    // Returns the calls with numbers that arrays of an order can have: some of `repeated` are the same.
    Calls in(Order order) const {
        Calls calls = *this;
        calls.input = Placed(input_shape, types.input, order, input).take();
        calls.grad_output = Placed(output_shape, types.input, order, grad_output).take();
        calls.residual = Placed(output_shape, types.output, order, residual).take();
        return calls;
    }

    // Returns the output with the residual, and all gradients, that of the input added to what was there.
    std::vector<std::vector<double>> results(Order read, Order written) const {
        ConvTranspose3d layer(options);
        layer.set_weight(weight.data(), layer.weight_shape());
        layer.set_activation(Activation::leaky_relu(0.5F));
        const Shape bias_sizes{options.out_channels, 1, 1, 1, 1};
        const auto zeros = [](const Shape &sizes) { return std::vector<double>(size_t(element_count(sizes))); };
        Placed in(input_shape, types.input, read, input), grad_out(output_shape, types.input, read, grad_output),
            added(output_shape, types.output, read, residual),
            out(output_shape, types.output, written, zeros(output_shape)),
            grad_in(input_shape, types.input, written, before),
            grad_weight(layer.weight_shape(), types.output, written, zeros(layer.weight_shape())),
            grad_bias(bias_sizes, types.output, written, zeros(bias_sizes));
        const View<void> bias = grad_bias.view();
        layer.forward(in.view(), out.view(), added.view());
        layer.input_gradient(grad_out.view(), grad_in.view(), Update::accumulate);
        layer.weight_gradient(in.view(), grad_out.view(), grad_weight.view());
        layer.bias_gradient(grad_out.view(), {bias.data, bias.dtype, {bias.sizes[0]}, {bias.strides[0]}});
        return {out.take(), grad_in.take(), grad_weight.take(), grad_bias.take()};
    }

    int64_t largest_item() const {
        return std::max(element_count(input_shape) / input_shape[0], element_count(output_shape) / output_shape[0]);
    }
};

void check_same(const std::vector<std::vector<double>> &results, const std::vector<std::vector<double>> &expected) {
    constexpr const char *names[] = {"output", "grad_input", "grad_weight", "grad_bias"};
    for (size_t i = 0; i < results.size(); i++) {
        INFO(names[i]);
        CHECK(results[i].size() == expected[i].size());
        CHECK(std::memcmp(results[i].data(), expected[i].data(), results[i].size() * sizeof(double)) == 0);
    }
}

TEST_CASE("problems that are cut have the bits of the whole", "[blocks]") {
    for (const Problem &problem : problems) {
        const Calls calls(problem.options(), problem.input_shape(), Data::reals);
        INFO(problem.reason << ": " << describe(calls.options, calls.input_shape));
        for (const Order order : {Order::columns, Order::channels}) {
            const auto whole = calls.results(order, order);
            const LoweredLimits lowered({calls.largest_item() / 3 + 1, 4096});
            check_same(calls.results(order, order), whole);
        }
    }
}

TEST_CASE("arrays may have any strides", "[blocks]") {
    size_t number = 0;
    for (const Problem &problem : problems) {
        const Calls calls(problem.options(), problem.input_shape(), Data::integers);
        INFO(problem.reason << ": " << describe(calls.options, calls.input_shape));
        const Order written = any_strides[number++ % std::size(any_strides)],
                    read = any_strides[number / std::size(any_strides) % std::size(any_strides)];
        const auto expected = calls.results(Order::columns, Order::columns);
        check_same(calls.results(read, written), expected);
        const LoweredLimits lowered({calls.largest_item(), 4096});
        check_same(calls.results(read, written), expected);
    }
}

TEST_CASE("input, output and residual may have different layouts, and inputs may repeat", "[blocks]") {
    const Calls calls({16, 12, 3, 2, 1, 1, 2}, {3, 16, 4, 5, 9}, Data::integers);
    for (const Order read : {Order::columns, Order::channels, Order::repeated, Order::mixed}) {
        const Calls as_read = calls.in(read);
        const auto expected = as_read.results(Order::columns, Order::columns);
        for (const Order written : {Order::columns, Order::channels, Order::transposed}) {
            check_same(as_read.results(read, written), expected);
            const LoweredLimits lowered({500, 2000});
            check_same(as_read.results(read, written), expected);
        }
    }
}

TEST_CASE("arrays of all types may have any strides", "[blocks]") {
    for (const Types &types : supported_types()) {
        if (types.input != types.output) {
            continue;  // An input gradient of such types needs strides of 1.
        }
        INFO(to_string(types));
        const Calls calls({16, 12, 3, 1, 1}, {2, 16, 4, 5, 9}, Data::integers, types);
        const auto expected = calls.results(Order::columns, Order::columns);
        for (const Order order : any_strides) {
            check_same(calls.results(order, order), expected);
            const LoweredLimits lowered({1000, 4000});
            check_same(calls.results(order, order), expected);
        }
    }
}

// Minimal filters are for moderate numbers alone. One number that is not decides for all blocks.
TEST_CASE("a number that is not moderate counts for all blocks", "[blocks]") {
    Calls calls({16, 16, 3, 1, 1}, {1, 16, 9, 12, 20}, Data::reals);
    calls.input.back() = 1e20;
    const auto whole = calls.results(Order::columns, Order::columns);
    const LoweredLimits lowered({calls.largest_item() / 7, 20000});
    check_same(calls.results(Order::columns, Order::columns), whole);
    check_same(calls.results(Order::mixed, Order::backwards), whole);
}

TEST_CASE("bias gradients of many positions and channels are copied chunk by chunk", "[blocks]") {
    for (const Shape &shape : {Shape{1, 1, 40, 50, 17}, {2, 1, 1, 1, 9000}, {40, 1, 2, 3, 5}, {3, 1, 30, 1, 300}}) {
        INFO(describe({}, shape));
        const Calls calls({1, 20, 1}, shape, Data::reals);
        const auto whole = calls.results(Order::columns, Order::columns);
        for (const int64_t bytes : {int64_t{100}, int64_t{20000}, int64_t{300000}}) {
            const LoweredLimits lowered({1 << 20, bytes});
            check_same(calls.results(Order::backwards, Order::columns), whole);
        }
    }
}

}  // namespace
}  // namespace unstride::tests
