#include "run/activation_pass.h"

#include <algorithm>
#include <array>
#include <type_traits>
#include <utility>

#include "problem/checked.h"

namespace unstride {
namespace {

// Joins dimensions that follow each other in memory without a gap. The longer dimension fills vectors even where there
// are few channels, or rows are short. The dimensions that are left over, at the end, have extent 1.
void join_dimensions(ActivationPass::Dimensions &extents, ActivationPass::Dimensions &strides) {
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
    Dimensions extents{}, strides{};
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
    // Neighbours lie apart where a single channel in ndhwc is computed, as the last of 33.
    const bool lie_apart = extents[0] == 1 && extents[1] > 1;
    if (lie_apart && outputs.origin().device == Device::cpu) {
        return run_in_strips(user_context, outputs, extents, strides);
    }
    return call(user_context, outputs.origin(), extents, strides);
}

int ActivationPass::call(void *user_context, const Origin &origin, const Dimensions &extents,
                         const Dimensions &strides) const {
    KernelBuffer<5> from(origin, extents, strides), to(origin, extents, strides);
    return kernel_(user_context, from.get(), static_cast<int32_t>(formula_), bias_, to.get());
}

int ActivationPass::run_in_strips(void *user_context, const Array &outputs, const Dimensions &extents,
                                  const Dimensions &strides) const {
    return with_type(outputs.dtype(), [&](auto *null) {
        using T = std::remove_pointer_t<decltype(null)>;
        std::array<T, 256> strip;
        const Origin dense{Device::cpu, outputs.dtype(), strip.data(), nullptr, 0};
        T *const first = reinterpret_cast<T *>(const_cast<char *>(outputs.data()));
        int failure = 0;
        const auto run_row = [&](T *row) {
            for (int64_t done = 0; done < extents[1] && failure == 0; done += static_cast<int64_t>(strip.size())) {
                const int64_t count = std::min(extents[1] - done, static_cast<int64_t>(strip.size()));
                T *const elements = row + done * strides[1];
                for (int64_t i = 0; i < count; i++) {
                    strip[i] = elements[i * strides[1]];
                }
                failure = call(user_context, dense, {count, 1, 1, 1, 1}, {1, 1, 1, 1, 1});
                for (int64_t i = 0; i < count; i++) {
                    elements[i * strides[1]] = strip[i];
                }
            }
        };
        for (int64_t i = 0; i < extents[4]; i++) {
            for (int64_t j = 0; j < extents[3]; j++) {
                for (int64_t k = 0; k < extents[2]; k++) {
                    run_row(first + i * strides[4] + j * strides[3] + k * strides[2]);
                }
            }
        }
        return failure;
    });
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
