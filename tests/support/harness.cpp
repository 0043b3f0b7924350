#include "support/harness.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <limits>
#include <numeric>
#include <sstream>
#include <type_traits>
#include <utility>

namespace unstride::tests {

template<typename T>
std::vector<T> make_data(int64_t count, Data data, std::mt19937 &random, DType dtype) {
    std::uniform_int_distribution<int> integers(-3, 3);
    std::normal_distribution<T> reals;
    std::vector<T> values(count);
    for (T &v : values) {
        v = static_cast<T>(rounded(dtype, data == Data::integers ? integers(random) : reals(random)));
    }
    return values;
}

template std::vector<float> make_data(int64_t count, Data data, std::mt19937 &random, DType dtype);
template std::vector<double> make_data(int64_t count, Data data, std::mt19937 &random, DType dtype);

template<typename T>
CaseOf<T>::CaseOf(const ConvTranspose3dOptions &options, const Shape &input_shape, Data data, uint32_t seed,
                  const Types &types)
    : options(options), types(types), data(data), input_shape(input_shape) {
    std::mt19937 random(seed);
    const Triple &k = options.kernel_size;
    weight = make_data<T>(options.in_channels * (options.out_channels / options.groups) * k[0] * k[1] * k[2], data,
                          random, types.input);
    bias = make_data<T>(options.bias ? options.out_channels : 0, data, random, types.sums());
    input = make_data<T>(element_count(input_shape), data, random, types.input);
    expected = reference(options, input_shape, input, weight, bias);
}

template<typename T>
ConvTranspose3d CaseOf<T>::layer() const {
    ConvTranspose3d layer(options);
    layer.set_device(tested_device());
    layer.set_weight(weight.data(), layer.weight_shape());
    if (options.bias) {
        layer.set_bias(bias.data(), layer.bias_shape());
    }
    return layer;
}

template<typename T>
Tensor CaseOf<T>::input_as(Layout layout) const {
    Tensor tensor(input_shape, layout, 3, types.input);
    copy_into(tensor.view<void>(), {input.begin(), input.end()});
    return tensor;
}

template struct CaseOf<float>;
template struct CaseOf<double>;

void fill_weight(ConvTranspose &layer, float number) {
    layer.set_weight(std::vector<float>(layer.weight().size(), number).data(), layer.weight_shape());
}

Tensor forward(const ConvTranspose3d &layer, const Case &c, Layout layout) {
    const Tensor input = c.input_as(layout);
    return layer.forward(input.view());
}

std::string describe(const ConvTranspose3dOptions &o, const Shape &input_shape) {
    std::ostringstream s;
    const auto triple = [](const Triple &t) {
        return "(" + std::to_string(t[0]) + "," + std::to_string(t[1]) + "," + std::to_string(t[2]) + ")";
    };
    s << "input";
    for (int64_t size : input_shape) {
        s << " " << size;
    }
    s << ", channels " << o.in_channels << "->" << o.out_channels << ", groups " << o.groups << ", kernel "
      << triple(o.kernel_size) << ", stride " << triple(o.stride) << ", padding " << triple(o.padding)
      << (o.padding_end ? " and " + triple(*o.padding_end) : "") << ", output padding " << triple(o.output_padding)
      << ", dilation " << triple(o.dilation) << (o.bias ? "" : ", no bias");
    return s.str();
}

int64_t element_count(const Shape &sizes) {
    int64_t count = 1;
    for (int64_t size : sizes) {
        count *= size;
    }
    return count;
}

int64_t offset(const Shape &sizes, const Shape &strides, int64_t i) {
    int64_t at = 0;
    for (size_t d = sizes.size(); d-- > 0; i /= sizes[d]) {
        at += i % sizes[d] * strides[d];
    }
    return at;
}

// Without the divisions of offset(), which took longer than the kernels.
std::vector<int64_t> offsets(const Shape &sizes, const Shape &strides) {
    std::vector<int64_t> places{0};
    for (size_t d = 0; d < sizes.size(); d++) {
        std::vector<int64_t> finer;
        finer.reserve(places.size() * static_cast<size_t>(sizes[d]));
        for (int64_t place : places) {
            for (int64_t i = 0; i < sizes[d]; i++) {
                finer.push_back(place + i * strides[d]);
            }
        }
        places = std::move(finer);
    }
    return places;
}

void copy_into(const View<float> &to, const std::vector<float> &from) {
    const std::vector<int64_t> places = offsets(to.sizes, to.strides);
    for (size_t i = 0; i < from.size(); i++) {
        to.data[places[i]] = from[i];
    }
}

namespace {

double value_of(double v) {
    return v;
}
double value_of(Half v) {
    return static_cast<float>(v);
}
double value_of(BFloat16 v) {
    return static_cast<float>(v);
}

template<typename T>
T number_of(double v) {
    if constexpr (std::is_same_v<T, double>) {
        return v;
    } else {
        return T(static_cast<float>(v));
    }
}

}  // namespace

int precision(DType dtype) {
    switch (dtype) {
    case DType::f64:
        return 53;
    case DType::f32:
        return 24;
    case DType::f16:
        return 11;
    case DType::bf16:
        break;
    }
    return 8;
}

double rounded(DType dtype, double number) {
    return with_type(dtype,
                     [&](auto *type) { return value_of(number_of<std::remove_pointer_t<decltype(type)>>(number)); });
}

void copy_into(const View<void> &to, const std::vector<double> &from) {
    with_type(to.dtype, [&](auto *type) {
        using T = std::remove_pointer_t<decltype(type)>;
        const std::vector<int64_t> places = offsets(to.sizes, to.strides);
        for (size_t i = 0; i < from.size(); i++) {
            static_cast<T *>(to.data)[places[i]] = number_of<T>(from[i]);
        }
    });
}

std::vector<double> numbers_of(const View<const void> &view) {
    std::vector<double> values(static_cast<size_t>(element_count(view.sizes)));
    with_type(view.dtype, [&](auto *type) {
        using T = std::remove_pointer_t<decltype(type)>;
        const std::vector<int64_t> places = offsets(view.sizes, view.strides);
        for (size_t i = 0; i < values.size(); i++) {
            values[i] = value_of(static_cast<const T *>(view.data)[places[i]]);
        }
    });
    return values;
}

std::vector<float> dense_copy(const View<const float> &view) {
    std::vector<float> values(element_count(view.sizes));
    const std::vector<int64_t> places = offsets(view.sizes, view.strides);
    for (size_t i = 0; i < values.size(); i++) {
        values[i] = view.data[places[i]];
    }
    return values;
}

std::vector<float> dense_copy(const Tensor &tensor) {
    return dense_copy(tensor.view());
}

bool same_bits(const std::vector<float> &a, const std::vector<float> &b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

std::string mismatch(const Tensor &got, const Case &c) {
    return mismatch(got.sizes(), dense_copy(got), c);
}

std::string mismatch(const Shape &sizes, const std::vector<float> &got, const Case &c) {
    if (sizes != c.expected.sizes) {
        return "the output has another shape";
    }
    // Partial sums of terms with random signs stay far below the sum of magnitudes, so a few roundings of the latter
    // are enough for any number of terms, and too few to hide a lost or doubled one. Minimal filters add and take off
    // again terms of neighbouring outputs: the bound is that of the output with most.
    const double most = *std::max_element(c.expected.magnitudes.begin(), c.expected.magnitudes.end());
    const double bound = c.data == Data::integers ? 0 : 4 * std::numeric_limits<float>::epsilon() * most;
    std::ostringstream text;
    size_t wrong = 0;
    for (size_t i = 0; i < got.size(); i++) {
        if (!(std::abs(got[i] - c.expected.values[i]) <= bound) && wrong++ == 0) {
            text << "element " << i << " of " << got.size() << " is " << got[i] << " instead of "
                 << c.expected.values[i] << " +- " << bound;
        }
    }
    if (wrong == 0) {
        return "none";
    }
    text << ", and so " << wrong - 1 << " others";
    return text.str();
}

namespace {

// The number of channels that an operator sums over, in all groups.
template<typename Options>
auto &summed_channels(Options &options, Operator op) {
    return op == Operator::input_gradient ? options.out_channels : options.in_channels;
}

bool is_for_depthwise(const Variant &variant) {
    return variant.family == "depthwise" || variant.family == "in_place" || variant.family == "diagonal";
}

// Whether minimal filters compute the outputs of an operator in pairs along a dimension.
bool has_minimal_filters(Operator op, int64_t stride, int64_t dilation) {
    return op == Operator::input_gradient ? dilation == 1 : std::gcd(stride, dilation) == 1;
}

}  // namespace

bool takes(const Variant &variant, const ConvTranspose3dOptions &options) {
    if (variant.layer) {
        const ConvTranspose3dOptions &o = *variant.layer;
        const bool same_channels = o.in_channels == options.in_channels && o.out_channels == options.out_channels &&
                                   o.groups == options.groups;
        for (int d = 0; d < 3; d++) {
            if (!same_channels || o.kernel_size[d] != options.kernel_size[d] || o.stride[d] != options.stride[d] ||
                o.padding[d] != options.padding[d] || o.dilation[d] != options.dilation[d]) {
                return false;
            }
        }
    }
    for (int d = 1; d < 3 && variant.known_kernel != 0; d++) {
        if (options.kernel_size[d] != variant.known_kernel || options.stride[d] != variant.known_stride ||
            options.dilation[d] != 1) {
            return false;
        }
    }
    for (int d = 0; d < 2 && variant.family == "winograd"; d++) {
        const int64_t s = options.stride[d], k = options.kernel_size[d];
        const bool has_pairs = has_minimal_filters(variant.op, s, options.dilation[d]);
        if (!has_pairs || k < s || k > 3 * s) {  // a phase has one to three taps
            return false;
        }
    }
    if (variant.family == "quads" && summed_channels(options, variant.op) / options.groups % 4 != 0) {
        return false;
    }
    const bool stride =
        variant.stride_x == 1 || (variant.stride_x == options.stride.width && options.dilation.width == 1);
    if (variant.family == "in_place" && options.groups % variant.block != 0) {
        return false;
    }
    const bool depthwise = options.in_channels == options.groups && options.out_channels == options.groups;
    return stride && (depthwise || !is_for_depthwise(variant));
}

bool takes_numbers(const Variant &variant, const std::vector<float> &weight, const std::vector<float> &input) {
    const auto is_moderate = [](float v) { return std::abs(v) < std::ldexp(1.F, 50); };
    const auto is_bf16 = [](float v) { return rounded(DType::bf16, v) == v; };
    if (variant.family == "winograd") {
        return std::all_of(weight.begin(), weight.end(), is_moderate) &&
               std::all_of(input.begin(), input.end(), is_moderate);
    }
    return variant.family != "pairs" || std::all_of(weight.begin(), weight.end(), is_bf16);
}

ConvTranspose3dOptions fitted(ConvTranspose3dOptions options, const Variant &variant) {
    if (variant.layer) {
        return *variant.layer;
    }
    if (variant.known_kernel != 0) {
        for (int64_t Triple::*axis : {&Triple::height, &Triple::width}) {
            options.kernel_size.*axis = variant.known_kernel;
            options.stride.*axis = variant.known_stride;
            options.dilation.*axis = 1;
            options.output_padding.*axis = std::min<int64_t>(options.output_padding.*axis, variant.known_stride - 1);
        }
    }
    if (variant.stride_x != 1) {
        options.stride.width = variant.stride_x;
        options.dilation.width = 1;
        options.output_padding.width = std::min<int64_t>(options.output_padding.width, variant.stride_x - 1);
    }
    if (variant.family == "winograd") {
        const auto fit = [&](int64_t stride, int64_t &kernel, int64_t &dilation) {
            kernel = std::clamp(kernel, stride, 3 * stride);
            dilation = has_minimal_filters(variant.op, stride, dilation) ? dilation : 1;
        };
        fit(options.stride.depth, options.kernel_size.depth, options.dilation.depth);
        fit(options.stride.height, options.kernel_size.height, options.dilation.height);
    }
    if (variant.family == "quads") {
        int64_t &channels = summed_channels(options, variant.op);
        channels = (channels / options.groups + 3) / 4 * 4 * options.groups;
    }
    if (variant.family == "in_place") {
        options.out_channels = (options.out_channels + variant.block - 1) / variant.block * variant.block;
    }
    if (is_for_depthwise(variant)) {
        options.in_channels = options.groups = options.out_channels;
    }
    return options;
}

Device tested_device() {
    const char *name = std::getenv("UNSTRIDE_TEST_DEVICE");
    for (const Device device : {Device::cuda, Device::opencl}) {
        if (name != nullptr && std::string(name) == to_string(device)) {
            return device;
        }
    }
    return Device::cpu;
}

std::vector<Variant> variants_here(Layout layout, const Types &types, Operator op) {
    std::vector<Variant> here;
    std::copy_if(variants().begin(), variants().end(), std::back_inserter(here), [&](const Variant &v) {
        return v.op == op && v.device == tested_device() && v.layout == layout && v.types == types && v.runs_here();
    });
    return here;
}

}  // namespace unstride::tests
