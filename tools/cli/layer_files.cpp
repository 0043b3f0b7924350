#include "layer_files.h"

#include <algorithm>

#include "tools/files/text.h"

namespace unstride::tools {

Shape from_file_order(Shape sizes, Layout layout, int dims) {
    const int rank = static_cast<int>(sizes.size());
    if (layout == Layout::ndhwc && (rank == dims + 1 || rank == dims + 2)) {
        std::rotate(sizes.end() - dims - 1, sizes.end() - 1, sizes.end());
    }
    return sizes;
}

Shape to_file_order(Shape sizes, Layout layout, int dims) {
    if (layout == Layout::ndhwc) {
        std::rotate(sizes.end() - dims - 1, sizes.end() - dims, sizes.end());
    }
    return sizes;
}

View<const void> view_of(const NpyArray &array, Layout layout, int dims) {
    return {array.values.get(), array.dtype, from_file_order(array.sizes, layout, dims),
            from_file_order(array.strides, layout, dims)};
}

void take_weight_shape(LayerArguments &layer, const NpyArray &weight, const std::string &path) {
    const Shape &sizes = weight.sizes;
    ConvTranspose3dOptions &options = layer.options;
    const auto axes = static_cast<size_t>(layer.dims) + 2;
    if (sizes.size() != axes) {
        throw InvalidArgument(path + ": a weight has " + std::to_string(axes) + " dimensions (C_in, C_out / groups" +
                              (layer.dims == 3 ? ", KD" : "") + (layer.dims > 1 ? ", KH" : "") +
                              ", KW), not the shape " + shape_text(sizes));
    }
    options.in_channels = sizes[0];
    if (__builtin_mul_overflow(sizes[1], options.groups, &options.out_channels)) {
        throw InvalidArgument("--groups: too large");
    }
    const auto kernel = [&](size_t d) { return d + axes < 5 ? 1 : sizes[d + axes - 3]; };
    options.kernel_size = Triple(kernel(0), kernel(1), kernel(2));
}

Types choose_types(const CLI::Option &option, const Types &asked, const std::string &what, DType read,
                   const std::string &path) {
    const Types types = option.count() > 0 ? asked : Types(read);
    if (types.input != read) {
        throw InvalidArgument("--dtype: " + to_string(types) + " needs " + what + " of " + to_string(types.input) +
                              ", but " + path + " has " + to_string(read));
    }
    return types;
}

}  // namespace unstride::tools
