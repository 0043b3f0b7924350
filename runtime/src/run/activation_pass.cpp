#include "run/activation_pass.h"

#include <algorithm>
#include <array>
#include <utility>

#include "problem/checked.h"

namespace unstride {
namespace {

// Joins dimensions that follow each other in memory without a gap. The longer dimension fills vectors even where there
// are few channels, or rows are short. The dimensions that are left over, at the end, have extent 1.
void join_dimensions(std::array<int64_t, 5> &extents, std::array<int64_t, 5> &strides) {
    size_t last = 0;
    strides[0] = extents[0] > 1 ? strides[0] : 1;
    for (size_t d = 1; d < extents.size(); d++) {
        const int64_t extent = std::exchange(extents[d], 1), stride = std::exchange(strides[d], 1);
        if (extent == 1) {
            continue;
        }
        if (stride == extents[last] * strides[last]) {
            extents[last] *= extent;
        } else {
            last++;
            extents[last] = extent;
            strides[last] = stride;
        }
    }
}

// Splits `all` elements into shares of `of_each`, of which the last may be smaller, and returns share `number`.
Range share(int64_t number, int64_t of_each, int64_t all) {
    const int64_t first = number * of_each;
    return {first, 1, std::min(of_each, all - first)};
}

}  // namespace

Array::Window Tasks::task(const Array &output, int outer, int inner) const {
    const int64_t shares_of_rows = divide_up(rows, rows_per_task),
                  shares_of_slices = divide_up(slices, slices_per_task);
    Array::Window window = output.whole();
    window[Array::item] = share(outer / groups, items_per_task, items);
    window[Array::group] = {outer % groups, 1, 1};
    window[Array::row] = share(inner % shares_of_rows, rows_per_task, rows);
    window[Array::slice] = share(inner / shares_of_rows % shares_of_slices, slices_per_task, slices);
    window[Array::channel] = share(inner / (shares_of_rows * shares_of_slices), channels_per_task, channels);
    return window;
}

Tasks tasks_of(const Part &part, const Array &output) {
    const SumsRules &sums = *part.entry->sums;
    const Split &s = part.split;
    const int64_t rows = sums.outputs_of_row, block = sums.has_blocks_of_products ? 1 : part.entry->variant.block;
    return {output.extent(Array::item),
            output.extent(Array::group),
            output.extent(Array::channel),
            output.extent(Array::slice),
            output.extent(Array::row),
            s.items,
            s.blocks * block,
            s.slices * rows,
            s.rows * rows};
}

ActivationPass::ActivationPass(const Variant &variant, Formula formula, halide_buffer_t *bias, const Array &output)
    : kernel_(activation_kernel(variant.types.output, variant.isa)), formula_(formula), layout_(variant.layout),
      bias_(bias), output_(output) {
}

int ActivationPass::run(void *user_context, const Array &outputs) const {
    std::array<int64_t, 5> extents{}, strides{};
    constexpr std::array<Array::Dimension, 5> order = {Array::column, Array::row, Array::slice, Array::channel,
                                                       Array::item};
    for (size_t d = 0; d < order.size(); d++) {
        extents[d] = outputs.extent(order[d]);
        strides[d] = outputs.stride(order[d]);
    }
    if (layout_ == Layout::ndhwc) {
        std::rotate(extents.begin(), extents.begin() + 3, extents.begin() + 4);
        std::rotate(strides.begin(), strides.begin() + 3, strides.begin() + 4);
    }
    join_dimensions(extents, strides);
    KernelBuffer<5> from(outputs.origin(), extents, strides), to(outputs.origin(), extents, strides);
    return kernel_(user_context, from.get(), static_cast<int32_t>(formula_), bias_, to.get());
}

int ActivationPass::run(void *user_context, const Array::Window &window) const {
    return run(user_context, output_.window(window));
}

int ActivationPass::run_all(void *user_context) const {
    // All groups can be computed as one, unless there are gaps between them: the channels of another part of the
    // program.
    const bool follow_each_other =
        output_.stride(Array::group) == output_.extent(Array::channel) * output_.stride(Array::channel);
    const Array joined = follow_each_other ? output_.grouped(1) : output_;
    Array::Window window = joined.whole();
    int failure = 0;
    for (int64_t group = 0; group < joined.extent(Array::group) && failure == 0; group++) {
        window[Array::group] = {group, 1, 1};
        failure = run(user_context, joined.window(window));
    }
    return failure;
}

}  // namespace unstride
