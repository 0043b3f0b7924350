#include "slabs.h"

#include <algorithm>
#include <type_traits>

#include "progress.h"
#include "tools/files/text.h"

namespace unstride::tools {

namespace {

// Returns the elements of a dimension from `first` on.
template<typename Void>
View<Void> part_of(View<Void> view, size_t dimension, int64_t first, int64_t count) {
    using Byte = std::conditional_t<std::is_const_v<Void>, const char, char>;
    view.data = static_cast<Byte *>(view.data) + first * view.strides[dimension] * size_of(view.dtype);
    view.sizes[dimension] = count;
    return view;
}

// Calls `forward` for a range of `count` things after the other, `at_once` or fewer of them, and shows what is done.
template<typename Forward>
void for_ranges(int64_t count, int64_t at_once, double begin, double share, Progress &progress,
                const Forward &forward) {
    for (int64_t first = 0; first < count; first += at_once) {
        forward(first, std::min(at_once, count - first));
        const double done =
            begin + share * static_cast<double>(std::min(first + at_once, count)) / static_cast<double>(count);
        progress.show(done, "of the output");
    }
}

void forward(const ConvTranspose &layer, const View<const void> &input, const View<void> &output,
             const View<const void> *residual) {
    if (residual != nullptr) {
        layer.forward(input, output, *residual);
    } else {
        layer.forward(input, output);
    }
}

}  // namespace

void forward_in_slabs(const ConvTranspose &layer, const View<const void> &input, const View<void> &output,
                      const Shape &output_size, const View<const void> *residual, int64_t bytes) {
    const size_t spatial = static_cast<size_t>(layer.spatial()), rank = output.sizes.size(), space = rank - spatial;
    const bool has_batch = rank == spatial + 2;
    const int64_t batch = has_batch ? output.sizes[0] : 1;
    int64_t in_item = size_of(output.dtype);
    for (size_t d = space - 1; d < rank; d++) {
        in_item *= output.sizes[d];
    }
    // A forward refuses a residual of other sizes, which slabs would not notice.
    const bool fits = residual == nullptr || residual->sizes == output.sizes;
    if (batch == 0 || in_item <= bytes / batch || !fits) {
        forward(layer, input, output, residual);
        return;
    }
    Progress progress;
    const auto items_of = [&](const auto &view, int64_t first, int64_t count) {
        return has_batch ? part_of(view, 0, first, count) : view;
    };
    if (in_item <= bytes) {
        for_ranges(batch, bytes / in_item, 0, 1, progress, [&](int64_t first, int64_t count) {
            const auto added = residual != nullptr ? items_of(*residual, first, count) : View<const void>();
            forward(layer, items_of(input, first, count), items_of(output, first, count),
                    residual != nullptr ? &added : nullptr);
        });
        return;
    }
    // Slabs that begin at such multiples are computed without a copy (docs/usage.md).
    const int d = 3 - layer.spatial();
    const int64_t unit = 2 * layer.options().stride[d] * layer.options().dilation[d], slices = output.sizes[space],
                  fit = bytes / (in_item / slices), at_once = std::max<int64_t>(fit / unit, 1) * unit;
    Block outputs{Shape(spatial, 0), Shape(output.sizes.end() - layer.spatial(), output.sizes.end())};
    for (int64_t item = 0; item < batch; item++) {
        const double share = 1 / static_cast<double>(batch);
        for_ranges(
            slices, at_once, static_cast<double>(item) * share, share, progress, [&](int64_t first, int64_t count) {
                const auto slab_of = [&](const auto &view) {
                    return part_of(items_of(view, item, 1), space, first, count);
                };
                outputs.begin[0] = first;
                outputs.end[0] = first + count;
                View<const void> from = items_of(input, item, 1);
                const Shape input_shape = from.sizes;
                const Block inputs = layer.halo(input_shape, outputs, output_size);
                for (size_t i = 0; i < spatial; i++) {
                    from = part_of(from, space + i, inputs.begin[i], inputs.end[i] - inputs.begin[i]);
                }
                if (residual != nullptr) {
                    layer.forward_block(from, slab_of(output), slab_of(*residual), outputs, input_shape, output_size);
                } else {
                    layer.forward_block(from, slab_of(output), outputs, input_shape, output_size);
                }
            });
    }
}

}  // namespace unstride::tools
