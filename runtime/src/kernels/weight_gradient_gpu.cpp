// The model of cost for the weight gradient's kernels for GPUs, in cycles of one of the GPU's processors. It orders the
// kernels that can compute a layer; its constants are counts of instructions, and none was fitted to times.

#include "kernels/weight_gradient.h"
#include "problem/checked.h"

namespace unstride {
namespace {

constexpr int64_t warp = 32, threads_of_block = 128;  // as schedules/chunks_of_products.cpp has them

// The register tiles of a chunk: of output channels, and of input channels.
struct TilesOfChunk {
    Channels seen;  // as the kernel sees them
    int64_t outputs, inputs, taps;
};

TilesOfChunk tiles_of(const Entry &entry, const Geometry &geometry) {
    const Channels seen = entry.rules->channels_seen(geometry.channels);
    const auto &[z, y, x] = geometry.extent;
    return {seen, divide_up(seen.outputs, entry.variant.block), divide_up(seen.inputs, entry.variant.columns),
            product({z.kernel, y.kernel, x.kernel})};
}

Estimate estimate(const Entry &entry, const Geometry &geometry, const Split & /*split*/, const Machine & /*machine*/) {
    constexpr double issues = 4;          // instructions of warps that a processor can start in a cycle
    constexpr double cycles_of_load = 2;  // a load and the instruction for its address
    const TilesOfChunk tiles = tiles_of(entry, geometry);
    const Channels &all = geometry.channels;
    const double meetings = geometry.multiply_adds() / as_double(product({all.groups, all.inputs, all.outputs}));
    const int64_t block = entry.variant.block, columns = entry.variant.columns;
    const double step = as_double(block * columns) + cycles_of_load * as_double(block + columns);
    return {meetings * as_double(product({tiles.seen.groups, tiles.outputs, tiles.inputs})) * step /
                (as_double(warp) * issues),
            0, 0};
}

Split split(const Entry &entry, const Geometry &geometry, int64_t /*rows*/, const Machine & /*machine*/) {
    const TilesOfChunk tiles = tiles_of(entry, geometry);
    const SummationOrder order = summation_order(geometry, sum_bytes(entry));
    Split split{1, 1, 1, 1};
    split.tasks = product(
        {divide_up(tiles.taps * tiles.outputs, threads_of_block), tiles.seen.groups, tiles.inputs, order.chunks});
    split.calls = order.runs() > 0 ? 1 : 0;
    return split;
}

int64_t no_scratch(const Entry & /*entry*/, const Geometry & /*geometry*/, const Split & /*split*/) {
    return 0;
}

int64_t sums_of_chunks(const Entry &entry, const Geometry &geometry, const Split & /*split*/) {
    const TilesOfChunk tiles = tiles_of(entry, geometry);
    return product({tiles.outputs * entry.variant.block, tiles.inputs * entry.variant.columns, tiles.taps,
                    tiles.seen.groups, summation_order(geometry, sum_bytes(entry)).chunks});
}

}  // namespace

const CostModel products_gpu_cost{estimate, split, no_scratch, sums_of_chunks, {"the multiply-adds", nullptr, nullptr}};

}  // namespace unstride
