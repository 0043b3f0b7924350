#include "run/activation_pass.h"

#include <algorithm>
#include <array>
#include <utility>

#include "problem/checked.h"

namespace unstride {
namespace {

// Dimensions that follow each other in memory become one, so that vectors lie across few channels, or short rows, as
// well; the last ones are then of extent 1.
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

}  // namespace

Box Tasks::whole(int64_t group) const {
    return {0, batch, group, 0, outputs, 0, slices, 0, rows};
}

Box Tasks::box(int outer, int inner) const {
    const int64_t group = outer % groups, item = outer / groups * items_per_task;
    const int64_t shares_of_rows = divide_up(rows, rows_per_task),
                  shares_of_slices = divide_up(slices, slices_per_task);
    const int64_t row = inner % shares_of_rows * rows_per_task,
                  slice = inner / shares_of_rows % shares_of_slices * slices_per_task;
    const int64_t channel = inner / (shares_of_rows * shares_of_slices) * channels_per_task;
    return {item,
            std::min(items_per_task, batch - item),
            group,
            channel,
            std::min(channels_per_task, outputs - channel),
            slice,
            std::min(slices_per_task, slices - slice),
            row,
            std::min(rows_per_task, rows - row)};
}

Tasks tasks_of(const Part &part, const Channels &channels, int64_t batch, int64_t slices, int64_t rows) {
    const Variant &v = part.entry->variant;
    const Split &s = part.split;
    const int64_t pair = algorithm_of(v) == Algorithm::winograd ? 2 : 1,
                  block = algorithm_of(v) == Algorithm::taps ? 1 : v.block;
    return {batch,   channels.groups,  channels.outputs, slices,       rows,
            s.items, s.blocks * block, s.slices * pair,  s.rows * pair};
}

ActivationPass::ActivationPass(const Variant &variant, Formula formula, halide_buffer_t *bias, const Volume &output,
                               int64_t columns)
    : kernel_(activation_kernel(variant.types.output, variant.isa)), formula_(formula), layout_(variant.layout),
      device_(variant.device), bias_(bias), output_(output), columns_(columns) {
}

int ActivationPass::run(void *user_context, const Box &box) const {
    const Volume &o = output_;
    std::array<int64_t, 5> extents{columns_, box.rows, box.slices, box.channels, box.items},
        strides{o.width, o.height, o.depth, o.channel, o.batch};
    if (layout_ == Layout::ndhwc) {
        std::rotate(extents.begin(), extents.begin() + 3, extents.begin() + 4);
        std::rotate(strides.begin(), strides.begin() + 3, strides.begin() + 4);
    }
    const int64_t offset = o.offset + box.item * o.batch + box.group * o.group + box.channel * o.channel +
                           box.slice * o.depth + box.row * o.height;
    join_dimensions(extents, strides);
    const Place place{device_, o.data, o.dtype, o.array, offset};
    Buffer<5> from(place, extents, strides), to(place, extents, strides);
    return kernel_(user_context, from.get(), static_cast<int32_t>(formula_), bias_, to.get());
}

int ActivationPass::run_all(void *user_context, const Tasks &tasks) const {
    Tasks joined = tasks;
    if (output_.group == tasks.outputs * output_.channel) {
        joined.outputs *= joined.groups;
        joined.groups = 1;
    }
    int failure = 0;
    for (int64_t group = 0; group < joined.groups && failure == 0; group++) {
        failure = run(user_context, joined.whole(group));
    }
    return failure;
}

}  // namespace unstride
