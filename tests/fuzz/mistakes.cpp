// Arguments that are wrong: each has to be refused, and nothing may be written.

#include <algorithm>
#include <functional>
#include <limits>

#include "calls.h"

namespace unstride::tests {
namespace {

constexpr int64_t huge = int64_t{1} << 62;

// Where a view is made wrong: one that is read, or the one that is written.
struct Place {
    View<const void> *read;
    View<void> *written;

    Shape &sizes() const {
        return read != nullptr ? read->sizes : written->sizes;
    }
    Shape &strides() const {
        return read != nullptr ? read->strides : written->strides;
    }
    void move(int64_t bytes) const {
        if (read != nullptr) {
            read->data = static_cast<const char *>(read->data) + bytes;
        } else {
            written->data = static_cast<char *>(written->data) + bytes;
        }
    }
    void clear() const {
        if (read != nullptr) {
            read->data = nullptr;
        } else {
            written->data = nullptr;
        }
    }
};

// Makes the elements of the array that is written share memory, if there are several.
bool let_elements_meet(View<void> &view) {
    for (size_t d = 0; d < view.sizes.size(); d++) {
        if (view.sizes[d] > 1) {
            view.strides[d] = 0;
            return true;
        }
    }
    return false;
}

// Makes an argument of a call wrong, in one of several ways. Returns how, or nothing where that way is none here.
std::string spoil(Call &call, Choices &choices) {
    const int64_t which = choices.between(0, static_cast<int64_t>(call.from.size()));
    const bool reads = which < static_cast<int64_t>(call.from.size());
    const Place place{reads ? &call.from[static_cast<size_t>(which)] : nullptr, reads ? nullptr : &call.to};
    Shape &sizes = place.sizes();
    switch (choices.between(0, 9)) {
    case 0:
        place.clear();
        return "null";
    case 1:
        place.move(1);
        return "an address that is not a multiple of an element's size";
    case 2:
        sizes.insert(sizes.end(), 2, 1);
        place.strides().insert(place.strides().end(), 2, 1);
        return "two dimensions more";
    case 3:
        place.strides().pop_back();
        return "a size without a stride";
    case 4:
        sizes.back() = 0;
        return "a size of 0";
    case 5:
        sizes.back() = huge;
        return "a size of 2^62";
    case 6:
        sizes.back() = -1;
        return "a negative size";
    case 7:
        return let_elements_meet(call.to) ? "a result whose elements share memory" : "";
    case 8:
        call.to.data = const_cast<void *>(call.from[0].data);
        return "a result where the input is";
    default:
        call.to.dtype = call.to.dtype == DType::f64 ? DType::f32 : DType::f64;
        return "types that are not supported";
    }
}

struct WrongOptions {
    const char *what;
    std::function<void(ConvTranspose3dOptions &)> make;
};

const std::vector<WrongOptions> &wrong_options() {
    static const std::vector<WrongOptions> all = {
        {"no groups", [](auto &o) { o.groups = 0; }},
        {"negative groups", [](auto &o) { o.groups = -o.groups; }},
        {"no input channels", [](auto &o) { o.in_channels = 0; }},
        {"negative output channels", [](auto &o) { o.out_channels = -1; }},
        {"channels that groups do not divide", [](auto &o) { o.in_channels = (o.groups *= 2) + 1; }},
        {"more groups than channels", [](auto &o) { o.groups = o.out_channels + 1; }},
        {"an empty kernel", [](auto &o) { o.kernel_size.width = 0; }},
        {"a negative kernel", [](auto &o) { o.kernel_size.width = std::numeric_limits<int64_t>::min(); }},
        {"a large kernel", [](auto &o) { o.kernel_size.width = huge; }},
        {"many channels", [](auto &o) { o.in_channels = o.out_channels = huge - huge % o.groups; }},
        {"no stride", [](auto &o) { o.stride.width = 0; }},
        {"a negative stride", [](auto &o) { o.stride.width = -3; }},
        {"a large stride", [](auto &o) { o.stride.width = huge; }},
        {"no dilation", [](auto &o) { o.dilation.width = 0; }},
        {"a negative dilation", [](auto &o) { o.dilation.width = std::numeric_limits<int64_t>::min(); }},
        {"a large dilation", [](auto &o) { o.dilation.width = std::numeric_limits<int64_t>::max(); }},
        {"a negative output padding", [](auto &o) { o.output_padding.width = -1; }},
        {"a large output padding",
         [](auto &o) { o.output_padding.width = std::max(o.stride.width, o.dilation.width); }},
        {"a negative padding",
         [](auto &o) {
             o.padding.width = -1;
             o.padding_end.reset();
         }},
        {"a large padding", [](auto &o) { o.padding.width = huge; }},
        {"a large padding at the end", [](auto &o) { o.padding_end = Triple(0, 0, -huge); }},
        {"a mode of padding", [](auto &o) { o.padding_mode = "reflect"; }},
    };
    return all;
}

template<typename Function>
bool is_refused(const Function &function) {
    try {
        function();
    } catch (const InvalidArgument &) {
        return true;
    }
    return false;
}

// The output's size along the width by the documented formula, in 128 bits.
__extension__ using Wide = __int128;

Wide width_of(const ConvTranspose3dOptions &o, int64_t input) {
    const Wide padding = Wide(o.padding.width) + o.padding_end.value_or(o.padding).width;
    return Wide(input - 1) * o.stride.width - padding + Wide(o.dilation.width) * (o.kernel_size.width - 1) +
           o.output_padding.width + 1;
}

// Layers of any numbers: they are refused, or have the size that the formula gives.
void check_extremes(ConvTranspose3dOptions o, int spatial, Choices &choices) {
    constexpr int64_t numbers[] = {0,
                                   1,
                                   -1,
                                   2,
                                   3,
                                   32767,
                                   32768,
                                   32769,
                                   (1 << 29) - 1,
                                   1 << 29,
                                   (1 << 29) + 1,
                                   int64_t{1} << 31,
                                   huge,
                                   -huge,
                                   -(1 << 29),
                                   std::numeric_limits<int64_t>::max(),
                                   std::numeric_limits<int64_t>::min()};
    const auto number = [&](int64_t usual) { return choices.once_in(2) ? choices.of(numbers) : usual; };
    o.stride.width = number(o.stride.width);
    o.dilation.width = number(o.dilation.width);
    o.padding.width = number(o.padding.width);
    o.output_padding.width = number(o.output_padding.width);
    Triple end = 0;
    end.width = number(o.padding.width);
    o.padding_end = end;
    if (spatial == 3) {
        o.padding_end->depth = o.padding.depth = 0;
    }
    const int64_t input = choices.once_in(4) ? std::max<int64_t>(choices.of(numbers), 1) : choices.between(1, 9);
    try {
        const ConvTranspose layer(o, spatial);
        Shape sizes{1, o.in_channels};
        sizes.insert(sizes.end(), static_cast<size_t>(spatial), 1);
        sizes.back() = input;
        if (layer.output_shape(sizes).back() != width_of(o, input)) {
            throw Finding("output_shape of extreme parameters");
        }
        layer.plan(sizes, Layout::ncdhw);
        layer.plan(sizes, Layout::ndhwc, {}, {}, Operator::input_gradient);
    } catch (const InvalidArgument &) {
        return;
    }
}

}  // namespace

void Session::mistake() {
    choose_call();
    choose_activation();
    set_parameters();
    prepare();
    layer_.set_variant("");
    const std::vector<View<const void>> right_from = call_.from;
    const View<void> right_to = call_.to;
    const std::string what = spoil(call_, choices_);
    // An empty batch has no elements, and its sizes may be 0.
    if (what.empty() || drawn_.input[0] == 0) {
        return;
    }
    if (refusal().empty()) {
        throw Finding("not refused: " + what);
    }
    call_.from = right_from;
    call_.to = right_to;
    const std::vector<double> before = numbers_of(call_.to);
    call_.perform(layer_);
    compare("wrong numbers after a mistake", numbers_of(call_.to), expected(before));
}

void check_options_of(Choices &choices) {
    const Drawn drawn = draw(choices);
    ConvTranspose3dOptions options = drawn.options;
    if (choices.once_in(2)) {
        check_extremes(options, drawn.spatial, choices);
        return;
    }
    const WrongOptions &wrong = choices.of(wrong_options());
    wrong.make(options);
    if (!is_refused([&] { const ConvTranspose layer(options, drawn.spatial); })) {
        throw Finding(std::string("options are not refused: ") + wrong.what + ", " + describe(drawn));
    }
}

}  // namespace unstride::tests
