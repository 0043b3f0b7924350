// A block of outputs that is computed from its own inputs alone has the bits of the whole.

#include <algorithm>
#include <cstring>

#include "support/catch_compat.h"
#include "support/errors.h"
#include "support/harness.h"

namespace unstride::tests {
namespace {

// Returns a view of a block of an array.
template<typename V>
V part_of(V view, const Block &block) {
    using Byte = std::conditional_t<std::is_same_v<V, View<void>>, char, const char>;
    int64_t first = 0;
    for (size_t d = 0; d < block.begin.size(); d++) {
        const size_t dimension = d + view.sizes.size() - block.begin.size();
        first += block.begin[d] * view.strides[dimension];
        view.sizes[dimension] = block.end[d] - block.begin[d];
    }
    view.data = static_cast<Byte *>(view.data) + first * size_of(view.dtype);
    return view;
}

// Cuts each dimension at random, into up to four ranges, and returns all blocks that this makes.
std::vector<Block> random_cuts(const Shape &sizes, std::mt19937 &random) {
    std::vector<Block> blocks = {{{}, {}}};
    for (int64_t size : sizes) {
        Shape at = {0, size};
        for (int i = 0; i < 3; i++) {
            at.push_back(static_cast<int64_t>(random() % static_cast<uint64_t>(size)));
        }
        std::sort(at.begin(), at.end());
        at.erase(std::unique(at.begin(), at.end()), at.end());
        std::vector<Block> finer;
        for (const Block &block : blocks) {
            for (size_t i = 0; i + 1 < at.size(); i++) {
                finer.push_back(block);
                finer.back().begin.push_back(at[i]);
                finer.back().end.push_back(at[i + 1]);
            }
        }
        blocks = finer;
    }
    return blocks;
}

void fill(Tensor &tensor, uint32_t seed) {
    std::mt19937 random(seed);
    const std::vector<double> numbers = make_data<double>(tensor.element_count(), Data::reals, random, tensor.dtype());
    copy_into(tensor.view<void>(), numbers);
}

// Compares a forward of the whole with blocks of random sizes. Half of all have a residual.
void check_blocks(const ConvTranspose &layer, const Tensor &input, DType type, std::mt19937 &random) {
    Tensor whole(layer.output_shape(input.sizes()), input.layout(), input.spatial(), type),
        in_blocks(whole.sizes(), input.layout(), input.spatial(), type);
    Tensor residual(whole.sizes(), input.layout(), input.spatial(), type);
    fill(residual, 8);
    const bool adds = random() % 2 == 0;
    const View<const void> added = residual.view<void>();
    if (adds) {
        layer.forward(input.view<void>(), whole.view<void>(), added);
    } else {
        layer.forward(input.view<void>(), whole.view<void>());
    }
    const View<void> to = in_blocks.view<void>();
    std::memset(to.data, 0xff, static_cast<size_t>(in_blocks.element_count() * size_of(type)));
    for (const Block &block : random_cuts(Shape(whole.sizes().end() - layer.spatial(), whole.sizes().end()), random)) {
        const Block needed = layer.halo(input.sizes(), block);
        const View<const void> from = part_of(View<const void>(input.view<void>()), needed);
        if (adds) {
            layer.forward_block(from, part_of(to, block), part_of(added, block), block, input.sizes());
        } else {
            layer.forward_block(from, part_of(to, block), block, input.sizes());
        }
    }
    CHECK(std::memcmp(whole.data<void>(), in_blocks.data<void>(),
                      static_cast<size_t>(whole.element_count() * size_of(type))) == 0);
}

// Layers in which the ways of summing differ: by minimal filters with and without a stride and a dilation, by taps, for
// each channel, and for output channels that leave a rest.
const std::vector<std::pair<ConvTranspose3dOptions, Shape>> layers = {
    {{16, 16, 3, 1, 1}, {1, 16, 7, 9, 12}},
    {{32, 16, 4, 2, 1}, {2, 32, 4, 5, 9}},
    {{16, 32, {3, 3, 2}, {1, 1, 2}, 0, 0, 1, with_bias, {2, 3, 1}}, {1, 16, 6, 8, 5}},
    {{12, 40, {3, 5, 3}, {2, 3, 2}, {1, 0, 1}, {1, 2, 1}, 2}, {1, 12, 4, 3, 11}},
    {{24, 2, 4, 2, 1}, {1, 24, 4, 5, 9}},
    {{9, 9, 3, 2, 1, 0, 9}, {1, 9, 4, 5, 9}},
    {{5, 19, {2, 1, 3}, {3, 2, 4}, 0, 0, 1, with_bias, {1, 3, 2}}, {1, 5, 3, 4, 5}},
};

TEST_CASE("blocks have the bits of the whole, for all variants", "[blocks]") {
    std::mt19937 random(1);
    for (const auto &[usual, input_shape] : layers) {
        for (Layout layout : layouts) {
            for (const Types &types : supported_types()) {
                std::vector<Variant> variants = variants_here(layout, types);
                variants.emplace_back();  // of no name, for the planner's choice
                for (const Variant &variant : variants) {
                    if (variant.layer || (!variant.name.empty() && !takes(variant, usual))) {
                        continue;
                    }
                    INFO(describe(usual, input_shape)
                         << ", " << to_string(layout) << ", " << to_string(types) << ", " << variant.name);
                    ConvTranspose3d layer(usual);
                    // Weights that bf16 holds are what family pairs needs.
                    Tensor input(input_shape, layout, 3, types.input),
                        weight(layer.weight_shape(), Layout::ncdhw, 3, DType::bf16);
                    fill(input, 2);
                    fill(weight, 3);
                    layer.set_weight(weight.data<BFloat16>(), layer.weight_shape());
                    layer.set_activation(Activation::gelu());
                    layer.set_variant(variant.name);
                    check_blocks(layer, input, types.output, random);
                }
            }
        }
    }
}

TEST_CASE("blocks of random layers have the bits of the whole", "[blocks]") {
    std::mt19937 random(2);
    const auto number = [&](int64_t least, int64_t most) {
        return least + static_cast<int64_t>(random() % static_cast<uint64_t>(most - least + 1));
    };
    const auto triple = [&](int64_t least, int64_t most) {
        return Triple(number(least, most), number(least, most), number(least, most));
    };
    for (int i = 0; i < 60; i++) {
        const int64_t groups = number(1, 2);
        ConvTranspose3dOptions o{groups * number(1, 16), groups * number(1, 20), triple(1, 4), triple(1, 3)};
        o.groups = groups;
        o.dilation = triple(1, 2);
        o.padding = triple(-2, 2);
        o.padding_end = triple(-3, 2);
        const Shape shape{number(1, 2), o.in_channels, number(2, 6), number(2, 6), number(2, 20)};
        const Shape output = reference_shape(o, shape);
        if (*std::min_element(output.begin(), output.end()) < 1) {
            continue;
        }
        INFO(describe(o, shape));
        ConvTranspose3d layer(o);
        for (Layout layout : layouts) {
            Tensor input(shape, layout);
            fill(input, 4);
            check_blocks(layer, input, DType::f32, random);
        }
    }
}

TEST_CASE("blocks of layers with fewer dimensions have the bits of the whole", "[blocks]") {
    std::mt19937 random(3);
    const ConvTranspose1d row(24, 12, 8, 4, 2);
    const ConvTranspose2d plane(32, 16, 4, 2, 1);
    for (Layout layout : layouts) {
        Tensor of_row({2, 24, 3000}, layout, 1), of_plane({32, 17, 19}, layout, 2);
        fill(of_row, 5);
        fill(of_plane, 6);
        check_blocks(row, of_row, DType::f32, random);
        check_blocks(plane, of_plane, DType::f32, random);
    }
}

// The inputs that outputs of a block depend on along a dimension, looked for one by one.
std::pair<int64_t, int64_t> inputs_under(const ConvTranspose3dOptions &o, int d, int64_t begin, int64_t end,
                                         int64_t inputs) {
    std::pair<int64_t, int64_t> found{inputs, 0};
    for (int64_t at = begin; at < end; at++) {
        for (int64_t k = 0; k < o.kernel_size[d]; k++) {
            if (const int64_t i = input_under_tap(o, d, at, k, inputs); i >= 0) {
                found = {std::min(found.first, i), std::max(found.second, i + 1)};
            }
        }
    }
    return found;
}

TEST_CASE("a halo is what a block depends on", "[blocks]") {
    for (const auto &[options, input_shape] : layers) {
        const ConvTranspose3d layer(options);
        const Shape output = layer.output_shape(input_shape);
        for (int d = 0; d < 3; d++) {
            const auto dimension = static_cast<size_t>(d);
            for (int64_t begin = 0; begin < output[dimension + 2]; begin++) {
                for (int64_t end = begin + 1; end <= output[dimension + 2]; end++) {
                    Block block{{0, 0, 0}, {1, 1, 1}};
                    block.begin[dimension] = begin;
                    block.end[dimension] = end;
                    const Block needed = layer.halo(input_shape, block);
                    const auto [first, last] = inputs_under(options, d, begin, end, input_shape[dimension + 2]);
                    const bool none = first >= last;
                    INFO(describe(options, input_shape) << ", " << d << ": " << begin << " to " << end);
                    // A gap between taps may be at an end of the halo, which is no longer than dilation and stride
                    // tell.
                    CHECK(needed.begin[dimension] < needed.end[dimension]);
                    CHECK((none || needed.begin[dimension] <= first));
                    CHECK((none || needed.end[dimension] >= last));
                    CHECK(needed.begin[dimension] >= 0);
                    CHECK(needed.end[dimension] <= input_shape[dimension + 2]);
                    CHECK(needed.end[dimension] - needed.begin[dimension] <=
                          (end - begin - 1 + options.dilation[d] * (options.kernel_size[d] - 1)) / options.stride[d] +
                              1);
                }
            }
        }
    }
}

TEST_CASE("blocks are of arrays that no machine can have", "[blocks]") {
    constexpr int64_t many = 1 << 14;
    const ConvTranspose3d layer(1, 2, 2, 2);
    const Shape whole{1, 1, many, many, many};
    const Block block{{2000, 30000, 2 * many - 6}, {2004, 30002, 2 * many}};
    const Block needed = layer.halo(whole, block);
    CHECK(needed.begin == Shape{1000, 15000, many - 3});
    CHECK(needed.end == Shape{1002, 15001, many});
    Tensor input({1, 1, 2, 1, 3}), output({1, 2, 4, 2, 6});
    fill(input, 7);
    layer.forward_block(input.view(), output.view(), block, whole);
    CHECK(same_bits(dense_copy(output), dense_copy(layer.forward(input.view()))));
}

TEST_CASE("blocks take the size of the output", "[blocks]") {
    const ConvTranspose2d layer(2, 3, 3, 2);
    const Shape input{1, 2, 4, 5}, size{10, 11};
    CHECK(layer.halo(input, {{9, 0}, {10, 2}}, size).begin == Shape{3, 0});
    CHECK(error_of<InvalidArgument>([&] {
              layer.halo(input, {{9, 0}, {10, 2}});
          }) == "a block from [9, 0] to before [10, 2] is empty, or is not in an output of spatial size [9, 11]");
}

TEST_CASE("blocks that cannot be", "[blocks]") {
    const ConvTranspose2d layer(2, 3, 2, 2);
    const Shape shape{1, 2, 4, 5};
    const auto halo = [&](const Block &block) { return error_of<InvalidArgument>([&] { layer.halo(shape, block); }); };
    const std::string sizes = "a block begins and ends with 2 numbers, one for each dimension of space, but got ";
    CHECK(halo({{0}, {1, 1}}) == sizes + "[0] and [1, 1]");
    CHECK(halo({{0, 0}, {1, 1, 1}}) == sizes + "[0, 0] and [1, 1, 1]");
    const std::string outside = " is empty, or is not in an output of spatial size [8, 10]";
    CHECK(halo({{0, 0}, {0, 1}}) == "a block from [0, 0] to before [0, 1]" + outside);
    CHECK(halo({{-1, 0}, {1, 1}}) == "a block from [-1, 0] to before [1, 1]" + outside);
    CHECK(halo({{0, 0}, {1, 11}}) == "a block from [0, 0] to before [1, 11]" + outside);

    Tensor input({1, 2, 2, 2}, Layout::ncdhw, 2), output({1, 3, 4, 4}, Layout::ncdhw, 2),
        other({1, 3, 4, 3}, Layout::ncdhw, 2), two({2, 3, 4, 4}, Layout::ncdhw, 2);
    const Block block{{2, 4}, {6, 8}};
    const auto forward = [&](const Tensor &from, Tensor &to) {
        return error_of<InvalidArgument>([&] { layer.forward_block(from.view(), to.view(), block, shape); });
    };
    CHECK(forward(input, output) == "no error");
    CHECK(forward(output, output) == "expected input of spatial size [2, 2], for its part from [1, 2] to before "
                                     "[3, 4], but got size [1, 3, 4, 4]");
    CHECK(forward(input, other) == "expected output of spatial size [4, 4], for its part from [2, 4] to before "
                                   "[6, 8], but got size [1, 3, 4, 3]");
    CHECK(forward(input, two) == "expected output of size [1, 3, 4, 4], but got [2, 3, 4, 4]");
    CHECK(error_of<InvalidArgument>([&] {
              layer.forward_block(input.view(), output.view(), other.view(), block, shape);
          }) == "expected a residual of the output's size [1, 3, 4, 4], but got [1, 3, 4, 3]");
}

}  // namespace
}  // namespace unstride::tests
