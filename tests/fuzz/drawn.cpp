#include "drawn.h"

#include <algorithm>
#include <stdexcept>

#include "support/harness.h"

namespace unstride::tests {
namespace {

constexpr int64_t usual_work = 50'000, most_work = 600'000, most_elements = 40'000;

template<typename Function>
Triple triple(const Function &function) {
    const int64_t depth = function(0), height = function(1), width = function(2);
    return {depth, height, width};
}

void draw_channels(ConvTranspose3dOptions &o, Choices &choices) {
    o.groups = choices.once_in(2) ? choices.size(4, 12) : 1;
    o.in_channels = o.groups * choices.size(6, 40);
    o.out_channels = o.groups * choices.size(12, 70);
    if (choices.once_in(5)) {
        o.in_channels = o.out_channels = o.groups = choices.size(20, 140);
    }
}

Drawn draw_any(Choices &choices, int spatial) {
    Drawn d;
    ConvTranspose3dOptions &o = d.options;
    d.spatial = spatial;
    // Numbers for the dimensions that there are.
    const auto each = [&](int64_t lacking, const auto &number) {
        return triple([&](int at) { return at < 3 - d.spatial ? lacking : number(at); });
    };
    draw_channels(o, choices);
    o.kernel_size = each(1, [&](int) { return choices.size(4, 8); });
    o.stride = each(1, [&](int) { return choices.size(3, 6); });
    o.dilation = each(1, [&](int) { return choices.once_in(3) ? choices.size(3, 6) : 1; });
    o.padding = each(0, [&](int at) { return choices.size(3, o.kernel_size[at] * o.dilation[at] + 3) - 1; });
    if (choices.once_in(3)) {
        o.output_padding =
            each(0, [&](int at) { return choices.between(0, std::max(o.stride[at], o.dilation[at]) - 1); });
    }
    o.bias = !choices.once_in(4);
    if (choices.once_in(4)) {
        o.padding_end = each(
            0, [&](int at) { return choices.size(4, o.kernel_size[at] * o.dilation[at] + 3) - choices.size(4, 30); });
        if (choices.once_in(2)) {
            o.padding = each(0, [&](int at) { return o.padding[at] - choices.size(4, 30); });
        }
    }
    const Triple sizes = each(1, [&](int at) { return at == 2 ? choices.size(10, 70) : choices.size(4, 8); });
    d.input = {choices.size(2, 5), o.in_channels, sizes[0], sizes[1], sizes[2]};
    if (choices.once_in(100)) {
        d.input[0] = 0;
    }
    d.batched = d.input[0] != 1 || !choices.once_in(2);
    d.called = o;
    if (choices.once_in(4)) {
        d.called.output_padding = each(0, [&](int at) { return choices.between(0, o.stride[at] - 1); });
    }
    d.output = reference_shape(d.called, d.input);
    return d;
}

}  // namespace

Shape Drawn::as_passed(const Shape &sizes) const {
    Shape passed = sizes;
    passed.erase(passed.begin() + 2, passed.begin() + 2 + (3 - spatial));
    if (!batched) {
        passed.erase(passed.begin());
    }
    return passed;
}

int64_t Drawn::work() const {
    const Triple &k = options.kernel_size;
    return element_count(input) * (options.out_channels / options.groups) * k[0] * k[1] * k[2];
}

namespace {

bool exists_and_is_small(const Drawn &drawn, int64_t most) {
    const Shape item(drawn.output.begin() + 1, drawn.output.end());  // The batch may be empty.
    return std::min({drawn.output[2], drawn.output[3], drawn.output[4]}) > 0 && drawn.work() <= most &&
           element_count(drawn.output) <= most_elements && element_count(item) <= most_elements;
}

}  // namespace

Drawn draw(Choices &choices) {
    const int64_t most = choices.once_in(30) ? most_work : usual_work;
    const int spatial = choices.once_in(2) ? static_cast<int>(choices.between(1, 2)) : 3;
    for (int i = 0; i < 1000; i++) {
        const Drawn drawn = draw_any(choices, spatial);
        if (exists_and_is_small(drawn, most)) {
            return drawn;
        }
    }
    Drawn least;  // Bytes that are missing are zeros, of which nothing else may come.
    least.input = least.output = {1, 1, 1, 1, 1};
    return least;
}

Drawn draw_for(Choices &choices, const Variant &variant) {
    for (int i = 0; i < 100'000; i++) {
        Drawn drawn = draw_any(choices, 3);
        drawn.options = fitted(drawn.options, variant);
        drawn.called = drawn.options;
        drawn.input[1] = drawn.options.in_channels;
        drawn.output = reference_shape(drawn.called, drawn.input);
        if (drawn.input[0] > 0 && takes(variant, drawn.options) && exists_and_is_small(drawn, most_work)) {
            return drawn;
        }
    }
    throw std::runtime_error("no layer was found for variant " + variant.name);
}

std::string describe(const Drawn &drawn) {
    const Triple &padding = drawn.called.output_padding;
    return std::to_string(drawn.spatial) + "-D, " + describe(drawn.options, drawn.input) +
           (drawn.batched ? "" : ", no batch") + ", output padding of the call " + std::to_string(padding[0]) + "," +
           std::to_string(padding[1]) + "," + std::to_string(padding[2]);
}

}  // namespace unstride::tests
