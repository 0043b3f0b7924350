// The model of cost for the weight gradient's kernels for GPUs, in cycles of one of the GPU's processors. It orders the
// kernels that can compute a layer; its constants are counts of instructions, and none was fitted to times.

#include "kernels/weight_gradient.h"
#include "problem/checked.h"

namespace unstride {
namespace {

constexpr int64_t warp = 32, threads_of_block = 128;  // as schedules/chunks_of_products.cpp has them

Estimate estimate(const Entry &entry, const Geometry &geometry, const Split & /*split*/, const Machine & /*machine*/) {
    constexpr double issues = 4;          // instructions of warps that a processor can start in a cycle
    constexpr double cycles_of_load = 2;  // a load and the instruction for its address
    const ChunksOnGpu sums = chunks_on_gpu(entry, geometry);
    const Channels &all = geometry.channels;
    const double meetings = geometry.multiply_adds() / as_double(product({all.groups, all.inputs, all.outputs}));
    const int64_t block = entry.variant.block, columns = entry.variant.columns;
    const double step = as_double(block * columns) + cycles_of_load * as_double(block + columns);
    const double tiles = as_double(product({sums.groups, sums.outputs / block, sums.inputs / columns}));
    return {meetings * tiles * step / (as_double(warp) * issues), 0, 0};
}

Split split(const Entry &entry, const Geometry &geometry, int64_t /*rows*/, const Machine & /*machine*/) {
    const ChunksOnGpu sums = chunks_on_gpu(entry, geometry);
    Split split{1, 1, 1, 1};
    split.tasks = product({divide_up(sums.taps * sums.outputs / entry.variant.block, threads_of_block), sums.groups,
                           sums.inputs / entry.variant.columns, sums.chunks});
    split.calls = summation_order(geometry, sum_bytes(entry)).runs() > 0 ? 1 : 0;
    return split;
}

int64_t sums_of_chunks(const Entry &entry, const Geometry &geometry, const Split & /*split*/) {
    return chunks_on_gpu(entry, geometry).elements();
}

}  // namespace

int64_t ChunksOnGpu::elements() const {
    return product({outputs, inputs, taps, groups, chunks});
}

ChunksOnGpu chunks_on_gpu(const Entry &entry, const Geometry &geometry) {
    const Channels seen = entry.rules->channels_seen(geometry.channels);
    const auto whole_tiles = [](int64_t channels, int64_t tile) { return divide_up(channels, tile) * tile; };
    return {whole_tiles(seen.outputs, entry.variant.block), whole_tiles(seen.inputs, entry.variant.columns),
            geometry.taps(), seen.groups, summation_order(geometry, sum_bytes(entry)).chunks};
}

const CostModel products_gpu_cost{estimate, split, no_scratch, sums_of_chunks, {"the multiply-adds", nullptr, nullptr}};

}  // namespace unstride
