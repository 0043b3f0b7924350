#include "validation.h"

#include <algorithm>
#include <limits>

#include "checked.h"
#include "dense.h"

namespace unstride {
namespace {

// Kernels compute coordinates in 32 bits. The largest they form is output + padding, at most 3 of these, and the square
// of a stride (axis.h).
constexpr int64_t largest_extent = int64_t{1} << 29;
constexpr int64_t largest_stride = 32768;

// They also index the elements of an item in 32 bits.
constexpr int64_t largest_item = (int64_t{1} << 31) - 1;

[[noreturn]] void fail(const std::string &message) {
    throw InvalidArgument(message);
}

void check_spatial(int spatial) {
    if (spatial < 1 || spatial > 3) {
        fail("1, 2 or 3 dimensions of space are supported, but got " + std::to_string(spatial));
    }
}

// The first dimension of space that a text names: PyTorch computes one dimension in two.
int first_named(int spatial) {
    return 3 - std::max(spatial, 2);
}

std::string numbers(const char *name, const Triple &t, int spatial, const char *separator = " ") {
    constexpr std::array<const char *, 3> dimensions = {"_depth: ", "_height: ", "_width: "};
    std::string text;
    for (int d = first_named(spatial); d < 3; d++) {
        text += (text.empty() ? "" : separator) + std::string(name) + dimensions[d] + std::to_string(t[d]);
    }
    return text;
}

template<typename Sizes>
std::string volume(const Sizes &sizes, int spatial = 3) {
    std::string text;
    for (int d = first_named(spatial); d < 3; d++) {
        text += (text.empty() ? "(" : " x ") + std::to_string(sizes[d]);
    }
    return text + ")";
}

// "3d", as in the names of PyTorch's layers.
std::string suffix(int spatial, char d = 'd') {
    return std::to_string(spatial) + d;
}

int64_t smallest(const Triple &t) {
    return std::min({t.depth, t.height, t.width});
}

Triple end_padding(const ConvTranspose3dOptions &o) {
    return o.padding_end.value_or(o.padding);
}

}  // namespace

Shape weight_shape(const ConvTranspose3dOptions &o, int spatial) {
    Shape shape{o.in_channels, o.out_channels / o.groups};
    for (int d = 3 - spatial; d < 3; d++) {
        shape.push_back(o.kernel_size[d]);
    }
    return shape;
}

std::string to_string(const Shape &shape) {
    std::string text = "[";
    for (size_t i = 0; i < shape.size(); i++) {
        text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
    }
    return text + "]";
}

void check_options(const ConvTranspose3dOptions &o, int spatial) {
    check_spatial(spatial);
    for (int d = 0; d < 3 - spatial; d++) {
        if (o.kernel_size[d] != 1 || o.stride[d] != 1 || o.dilation[d] != 1 || o.padding[d] != 0 || o.output_padding[d] != 0 || end_padding(o)[d] != 0) {
            fail("in dimensions that a layer lacks, kernel_size, stride and dilation must be 1, and paddings 0");
        }
    }
    if (o.groups <= 0) {
        fail("groups must be a positive integer");
    }
    if (o.in_channels <= 0) {
        fail("in_channels must be a positive integer, but got " + std::to_string(o.in_channels));
    }
    if (o.out_channels <= 0) {
        fail("out_channels must be a positive integer, but got " + std::to_string(o.out_channels));
    }
    if (o.in_channels % o.groups != 0) {
        fail("in_channels must be divisible by groups");
    }
    if (o.out_channels % o.groups != 0) {
        fail("out_channels must be divisible by groups");
    }
    if (o.padding_mode != "zeros") {
        fail("Only \"zeros\" padding mode is supported for ConvTranspose" + suffix(spatial));
    }
    if (smallest(o.kernel_size) < 0) {
        fail("Trying to create tensor with negative dimension " + std::to_string(smallest(o.kernel_size)) + ": " + to_string(weight_shape(o, spatial)));
    }
    if (smallest(o.kernel_size) == 0) {
        fail(spatial == 3 ? "non-empty 5D (n_output_plane x n_input_plane x kernel_depth x kernel_height x kernel_width) tensor expected for weight, but got: " +
                                to_string(weight_shape(o, spatial))
                          : "kernel size should be greater than zero, but got " + numbers("kernel", o.kernel_size, spatial));
    }
    if (smallest(o.padding) < 0) {
        fail("negative padding is not supported");
    }
    if (smallest(o.output_padding) < 0) {
        fail("negative output_padding is not supported");
    }
    if (smallest(o.stride) <= 0) {
        fail("non-positive stride is not supported");
    }
    if (smallest(o.dilation) < 0) {
        fail("dilation should be greater than zero");
    }
    if (smallest(o.dilation) == 0) {
        fail("dilation should be greater than zero, but got " + numbers("dilation", o.dilation, spatial, ", "));
    }
    for (int d = 0; d < 3; d++) {
        if (o.output_padding[d] >= o.stride[d] && o.output_padding[d] >= o.dilation[d]) {
            fail("output padding must be smaller than either stride or dilation, but got " +
                 numbers("output_padding", o.output_padding, spatial) + " " + numbers("stride", o.stride, spatial) + " " +
                 numbers("dilation", o.dilation, spatial));
        }
    }
    // The weights have a size, and every number fits the 32-bit coordinates of the kernels.
    multiply(product(weight_shape(o, spatial)), size_of(DType::f64));
    const std::pair<const char *, Triple> triples[] = {
        {"kernel_size", o.kernel_size}, {"stride", o.stride}, {"padding", o.padding}, {"dilation", o.dilation}, {"padding_end", end_padding(o)}};
    for (const auto &[name, triple] : triples) {
        for (int d = 0; d < 3; d++) {
            if (triple[d] > largest_extent || triple[d] < -largest_extent) {
                fail(std::string(name) + " is too large: " + std::to_string(triple[d]));
            }
        }
    }
    for (int d = 0; d < 3; d++) {
        if (o.stride[d] > largest_stride || multiply(o.stride[d], o.dilation[d]) > largest_extent) {
            fail("stride is too large: " + std::to_string(o.stride[d]) + ", with dilation " + std::to_string(o.dilation[d]));
        }
    }
}

namespace {

void check_data(const char *name, const void *data) {
    if (data == nullptr) {
        fail(std::string(name) + " is null");
    }
}

}  // namespace

void check_types(const Types &types) {
    const std::vector<Types> &all = supported_types();
    if (std::find(all.begin(), all.end(), types) == all.end()) {
        fail(std::string("an input of ") + to_string(types.input) + " and an output of " + to_string(types.output) + " are not supported: either both have the same type, or the input f16 or bf16 and the output f32");
    }
}

void refuse_types(const std::string &text) {
    std::string names;
    for (const Types &types : supported_types()) {
        names += (names.empty() ? "" : ", ") + to_string(types);
    }
    fail("the type has to be one of " + names + ", but got '" + text + "'");
}

void check_element_type(DType dtype, DType asked) {
    if (dtype != asked) {
        fail(std::string("the elements are ") + to_string(dtype) + ", not " + to_string(asked));
    }
}

void check_weight(const void *data, const Shape &shape, const Shape &expected) {
    if (shape != expected) {
        fail("size mismatch for weight: expected " + to_string(expected) + ", but got " + to_string(shape));
    }
    check_data("weight", data);
}

void check_bias(const void *data, const Shape &shape, const Shape &expected, const Shape &weight) {
    if (expected.empty()) {
        fail("the layer has no bias");
    }
    if (shape != expected) {
        fail("Given transposed=1, weight of size " + to_string(weight) + ", expected bias to be 1-dimensional with " +
             std::to_string(expected[0]) + " elements, but got bias of size " + to_string(shape) + " instead");
    }
    check_data("bias", data);
}

void check_activation(const Activation &activation, int64_t out_channels) {
    using Kind = Activation::Kind;
    const auto slopes = static_cast<int64_t>(activation.slopes.size());
    if (activation.kind == Kind::prelu && slopes != 1 && slopes != out_channels) {
        fail("Mismatch of parameter numbers and input channel size. Found parameter numbers = " + std::to_string(slopes) + " and channel size = " + std::to_string(out_channels) + ".");
    }
    if (activation.kind == Kind::leaky_relu && slopes != 1) {
        fail("leaky_relu has one slope, but got " + std::to_string(slopes));
    }
    if (activation.kind != Kind::prelu && activation.kind != Kind::leaky_relu && slopes != 0) {
        fail("slopes are for leaky_relu and prelu");
    }
    if (activation.kind == Kind::clamp && !(activation.low <= activation.high)) {
        fail("clamp needs a low bound that is not above the high one, but got " + std::to_string(activation.low) + " and " + std::to_string(activation.high));
    }
}

void check_batch_norm(const BatchNorm &norm, const Activation &activation, int64_t channels) {
    const auto check = [&](const char *name, const std::vector<float> &values, bool optional) {
        if (static_cast<int64_t>(values.size()) != channels && !(optional && values.empty())) {
            fail(std::string(name) + " should contain " + std::to_string(channels) + " elements not " + std::to_string(values.size()));
        }
    };
    check("running_mean", norm.running_mean, false);
    check("running_var", norm.running_var, false);
    check("weight", norm.weight, true);
    check("bias", norm.bias, true);
    for (const float variance : norm.running_var) {
        if (!(variance + norm.eps > 0)) {
            fail("running_var + eps must be positive, but got " + std::to_string(variance) + " + " + std::to_string(norm.eps));
        }
    }
    if (activation.kind != Activation::Kind::none) {
        fail("a normalization cannot be folded into a layer whose activation comes before it");
    }
}

namespace {

void check_size(const char *name, const Triple &size) {
    if (smallest(size) <= 0) {
        fail(std::string(name) + " must be positive, but got " + volume(size));
    }
}

}  // namespace

void check_onnx(const OnnxConvTranspose &a, const Triple &input_size) {
    if (a.auto_pad != "NOTSET" && a.auto_pad != "SAME_UPPER" && a.auto_pad != "SAME_LOWER" && a.auto_pad != "VALID") {
        fail("auto_pad must be either NOTSET, SAME_UPPER, SAME_LOWER or VALID, but got " + a.auto_pad);
    }
    if (a.pads && a.auto_pad != "NOTSET") {
        fail("The pads attribute cannot be used simultaneously with auto_pad attribute");
    }
    if (a.pads && *std::min_element(a.pads->begin(), a.pads->end()) < 0) {
        fail("Attribute pads must not contain negative values");
    }
    check_size("input_size", input_size);
    if (a.output_shape) {
        check_size("output_shape", *a.output_shape);
    }
}

void check_tensorflow(const TensorFlowConvTranspose &a, const Triple &input_size) {
    if (a.padding != "SAME" && a.padding != "same" && a.padding != "VALID" && a.padding != "valid") {
        fail("padding must be either SAME or VALID, but got " + a.padding);
    }
    check_size("input_size", input_size);
    if (a.output_size) {
        check_size("output_size", *a.output_size);
    }
}

void check_convolved(const Triple &output_size, const Triple &convolved, const Triple &input_size) {
    if (volume(convolved) != volume(input_size)) {
        fail("an output of " + volume(output_size) + " does not fit: its convolution has size " + volume(convolved) + ", and the input " + volume(input_size));
    }
}

void check_onednn(const OneDnnDeconvolution &p) {
    if (smallest(p.dilates) < 0) {
        fail("dilation (" + std::to_string(smallest(p.dilates)) + ") must be non-negative");
    }
}

void check_begin(const Triple &padding, const Triple &padding_end) {
    if (smallest(padding) < 0) {
        fail("a negative padding at the beginning is not supported, but the rule gives " + volume(padding) + " there, and " + volume(padding_end) + " at the end");
    }
}

namespace {

// PyTorch's rule for the output_size argument of forward, as output padding.
std::array<int64_t, 3> padding_for_size(const ConvTranspose3dOptions &o, const Shape &input_shape,
                                        const std::array<int64_t, 3> &smallest_output, Shape size, int spatial) {
    const size_t rank = input_shape.size(), dimensions = static_cast<size_t>(spatial);
    if (size.size() == rank) {
        size.erase(size.begin(), size.end() - spatial);
    }
    if (size.size() != dimensions) {
        fail("ConvTranspose" + suffix(spatial, 'D') + ": for " + std::to_string(rank) + "D input, output_size must have " + std::to_string(spatial) +
             " or " + std::to_string(rank) + " elements (got " + std::to_string(size.size()) + ")");
    }
    Shape least, most;
    std::array<int64_t, 3> padding{};
    bool valid = true;
    for (int d = 3 - spatial; d < 3; d++) {
        const int64_t requested = size[least.size()];
        least.push_back(smallest_output[d]);
        most.push_back(least.back() + o.stride[d] - 1);
        valid = valid && requested >= least.back() && requested <= most.back();
        padding[d] = valid ? requested - least.back() : 0;
    }
    if (!valid) {
        fail("requested an output size of " + to_string(size) + ", but valid sizes range from " + to_string(least) + " to " +
             to_string(most) + " (for an input of torch.Size(" + to_string(Shape(input_shape.begin() + 2, input_shape.end())) + "))");
    }
    return padding;
}

// Ones in place of the dimensions of space that a batch lacks, up to so many.
Shape lifted(Shape batch, int spatial, int to) {
    batch.insert(batch.begin() + 2, static_cast<size_t>(to - spatial), 1);
    return batch;
}

}  // namespace

Geometry resolve(const ConvTranspose3dOptions &o, const Shape &input_shape, const Shape &output_size, int spatial) {
    const size_t rank = input_shape.size(), batched_rank = static_cast<size_t>(spatial) + 2;
    if (rank != batched_rank - 1 && rank != batched_rank) {
        fail("Expected " + std::to_string(batched_rank - 1) + "D (unbatched) or " + std::to_string(batched_rank) + "D (batched) input to conv_transpose" +
             suffix(spatial) + ", but got input of size: " + to_string(input_shape));
    }
    Shape batched = input_shape;
    if (rank < batched_rank) {
        batched.insert(batched.begin(), 1);
    }
    if (batched[0] < 0 || *std::min_element(batched.begin() + 2, batched.end()) <= 0) {
        fail("Only zero batch or zero channel inputs are supported, but got input shape: " + to_string(lifted(batched, spatial, std::max(spatial, 2))));
    }
    if (batched[1] != o.in_channels) {
        fail("Given transposed=1, weight of size " + to_string(weight_shape(o, spatial)) + ", expected input" + to_string(batched) + " to have " +
             std::to_string(o.in_channels) + " channels, but got " + std::to_string(batched[1]) + " channels instead");
    }
    batched = lifted(batched, spatial, 3);

    std::array<int64_t, 3> input{batched[2], batched[3], batched[4]}, output{}, padding{};
    for (int d = 0; d < 3; d++) {
        output[d] = add(reached_outputs(input[d], o.kernel_size[d], o.stride[d], o.dilation[d]), -o.padding[d] - end_padding(o)[d]);
        padding[d] = o.output_padding[d];
    }
    if (!output_size.empty()) {
        padding = padding_for_size(o, input_shape, output, output_size, spatial);
    }
    Geometry geometry{batched[0], {o.groups, o.in_channels / o.groups, o.out_channels / o.groups}, {}};
    for (int d = 0; d < 3; d++) {
        output[d] = add(output[d], padding[d]);
    }
    if (*std::min_element(output.begin(), output.end()) <= 0) {
        fail("Given input size per channel: " + volume(input, spatial) + ". Calculated output size per channel: " + volume(output, spatial) +
             ". Output size is too small");
    }
    for (int d = 0; d < 3; d++) {
        geometry.extent[d] = {input[d], output[d], o.kernel_size[d], make_axis(o.stride[d], o.dilation[d], o.padding[d])};
        if (std::max(input[d], output[d]) > largest_extent) {
            fail("sizes of more than 2^29 along one dimension are not supported, but got input " + volume(input, spatial) +
                 " and output " + volume(output, spatial));
        }
    }
    // In bytes, all fits in 63 bits: nothing below can overflow.
    const int64_t inputs = product({o.in_channels, input[0], input[1], input[2]});
    const int64_t outputs = product({o.out_channels, output[0], output[1], output[2]});
    multiply(multiply(batched[0], std::max(inputs, outputs)), size_of(DType::f64));
    if (std::max(inputs, outputs) > largest_item) {
        fail("more than 2^31 - 1 elements in one item of the batch are not supported, but got " + std::to_string(inputs) +
             " in the input and " + std::to_string(outputs) + " in the output");
    }
    return geometry;
}

void check_sizes(const Shape &sizes, int spatial) {
    check_spatial(spatial);
    const auto least = static_cast<size_t>(spatial) + 1;
    if (sizes.size() != least && sizes.size() != least + 1) {
        fail("expected " + std::to_string(least) + " or " + std::to_string(least + 1) + " sizes, but got " + std::to_string(sizes.size()));
    }
    if (*std::min_element(sizes.begin(), sizes.end()) < 0) {
        fail("negative sizes are not supported");
    }
}

namespace {

bool has_elements(const Shape &sizes) {
    return std::find(sizes.begin(), sizes.end(), 0) == sizes.end();
}

void check_view(const char *name, const View<const void> &view, int spatial) {
    if (view.strides.size() != view.sizes.size()) {
        fail(std::string(name) + " has " + std::to_string(view.sizes.size()) + " sizes, but " +
             std::to_string(view.strides.size()) + " strides");
    }
    if (!has_elements(view.sizes)) {
        return;
    }
    check_data(name, view.data);
    const int64_t alignment = size_of(view.dtype);
    if (reinterpret_cast<uintptr_t>(view.data) % static_cast<uintptr_t>(alignment) != 0) {
        fail(std::string(name) + " is not aligned to " + std::to_string(alignment) + " bytes");
    }
    for (size_t d = 0; d < view.sizes.size(); d++) {
        if (view.sizes[d] > 1 && (view.strides[d] < 0 || (view.strides[d] > std::numeric_limits<int32_t>::max() && d >= channel_dimension(view.sizes.size(), spatial)))) {
            fail(std::string(name) + " has strides that the kernels cannot take: " + to_string(view.strides));
        }
    }
}

Layout other_than(Layout layout) {
    return layout == Layout::ncdhw ? Layout::ndhwc : Layout::ncdhw;
}

// The dimension whose elements lie side by side: columns or channels.
size_t dense_dimension(Layout layout, size_t rank, int spatial) {
    return layout == Layout::ncdhw ? rank - 1 : channel_dimension(rank, spatial);
}

bool can_be(Layout layout, const View<const void> &view, int spatial) {
    const size_t dense = dense_dimension(layout, view.sizes.size(), spatial);
    return view.sizes[dense] <= 1 || view.strides[dense] == 1;
}

// Bytes from the first element to the end of the last one.
int64_t span(const View<const void> &view) {
    int64_t last = 0;
    for (size_t d = 0; d < view.sizes.size(); d++) {
        last = add(last, multiply(view.sizes[d] - 1, view.strides[d]));
    }
    return multiply(add(last, 1), size_of(view.dtype));
}

// Whether memory that is cut into pieces of so many bytes has elements of `a` at the beginning of each, from its first element on, and those
// of `b` behind them: as two slices of the channels of one array have.
bool are_apart_in_pieces(const View<const void> &a, const View<const void> &b, int64_t piece) {
    const auto bytes_in_piece = [&](const View<const void> &view) {
        int64_t bytes = size_of(view.dtype);
        for (size_t d = 0; d < view.sizes.size(); d++) {
            const int64_t stride = view.sizes[d] > 1 ? multiply(view.strides[d], size_of(view.dtype)) : 0;
            bytes = stride % piece == 0 ? bytes : add(bytes, multiply(view.sizes[d] - 1, stride));
        }
        return bytes;
    };
    const int64_t distance = static_cast<const char *>(b.data) - static_cast<const char *>(a.data), begin = (distance % piece + piece) % piece;
    return bytes_in_piece(a) <= begin && add(begin, bytes_in_piece(b)) <= piece;
}

// Whether they may share memory, as far as their first and last elements, and pieces as long as one of their strides, tell.
bool overlap(const View<const void> &a, const View<const void> &b) {
    const auto *const first_of_a = static_cast<const char *>(a.data), *const first_of_b = static_cast<const char *>(b.data);
    bool together = first_of_a < first_of_b + span(b) && first_of_b < first_of_a + span(a);
    for (size_t d = 0; d < a.sizes.size(); d++) {
        together = together && !(a.sizes[d] > 1 && a.strides[d] > 0 && are_apart_in_pieces(a, b, multiply(a.strides[d], size_of(a.dtype))));
    }
    return together;
}

bool is_same(const View<const void> &a, const View<const void> &b) {
    for (size_t d = 0; d < a.sizes.size(); d++) {
        if (a.sizes[d] != b.sizes[d] || (a.sizes[d] > 1 && a.strides[d] != b.strides[d])) {
            return false;
        }
    }
    return a.data == b.data;
}

// Whether no two elements of a view share memory, by the usual sufficient test: each stride is beyond the reach of
// all smaller ones.
bool elements_are_distinct(const Shape &sizes, const Shape &strides) {
    std::vector<std::pair<int64_t, int64_t>> dimensions;
    for (size_t d = 0; d < sizes.size(); d++) {
        if (sizes[d] > 1) {
            dimensions.emplace_back(strides[d], sizes[d]);
        }
    }
    std::sort(dimensions.begin(), dimensions.end());
    int64_t reach = 0;
    for (const auto &[stride, size] : dimensions) {
        if (stride <= reach) {
            return false;
        }
        reach = add(reach, multiply(stride, size - 1));
    }
    return true;
}

}  // namespace

Layout check_input(const View<const void> &input, Layout preferred, int spatial) {
    check_view("input", input, spatial);
    if (!has_elements(input.sizes)) {
        return preferred;
    }
    // Where both are possible, the one whose dense dimension has more than one element.
    const Layout other = other_than(preferred);
    const bool one_element = input.sizes[dense_dimension(preferred, input.sizes.size(), spatial)] == 1;
    return !can_be(preferred, input, spatial) || (one_element && can_be(other, input, spatial)) ? other : preferred;
}

void check_output_shape(const Shape &shape, const Shape &expected) {
    if (shape != expected) {
        fail("expected output of size " + to_string(expected) + ", but got " + to_string(shape));
    }
}

void check_residual_type(DType dtype, DType output) {
    if (dtype != output) {
        fail(std::string("expected a residual of the output's type ") + to_string(output) + ", but got " + to_string(dtype));
    }
}

void check_residual_shape(const Shape &shape, const Shape &output) {
    if (shape != output) {
        fail("expected a residual of the output's size " + to_string(output) + ", but got " + to_string(shape));
    }
}

Layout check_views(const View<const void> &input, const View<void> &output, const View<const void> *residual, const Shape &expected_output, Layout preferred, int spatial) {
    check_view("input", input, spatial);
    check_view("output", output, spatial);
    check_types({input.dtype, output.dtype});
    check_output_shape(output.sizes, expected_output);
    if (residual != nullptr) {
        check_view("residual", *residual, spatial);
        check_residual_type(residual->dtype, output.dtype);
        check_residual_shape(residual->sizes, output.sizes);
    }
    if (!has_elements(output.sizes)) {
        return preferred;
    }
    if (!elements_are_distinct(output.sizes, output.strides)) {
        fail("elements of the output share memory: size " + to_string(output.sizes) + ", strides " + to_string(output.strides));
    }
    if (overlap(input, output)) {
        fail("input and output overlap");
    }
    if (residual != nullptr && overlap(*residual, output) && !is_same(*residual, output)) {
        fail("residual and output overlap, and are not the same");
    }
    for (Layout layout : {preferred, other_than(preferred)}) {
        if (can_be(layout, input, spatial) && can_be(layout, output, spatial) && (residual == nullptr || can_be(layout, *residual, spatial))) {
            return layout;
        }
    }
    fail(std::string(residual == nullptr ? "input and output must both" : "input, output and residual must all") + " have dense columns (ncdhw) or " + (residual == nullptr ? "both" : "all") +
         " have dense channels (ndhwc), but got strides " + to_string(input.strides) + " and " + to_string(output.strides) + (residual == nullptr ? "" : " and " + to_string(residual->strides)));
}

}  // namespace unstride
