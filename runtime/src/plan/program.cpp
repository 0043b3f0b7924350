#include "plan/program.h"

#include <algorithm>
#include <limits>

#include "plan/fold.h"
#include "problem/checked.h"

namespace unstride {

Geometry geometry_of(const Part &part, Geometry geometry) {
    geometry.channels.outputs = part.channels.count;
    return geometry;
}

Part lower(const Entry &entry, const Problem &problem, int64_t first, int64_t channels, const Split &split) {
    Part part{&entry, {}, {first, 1, channels}, split, {}};
    const Geometry geometry = geometry_of(part, problem.geometry);
    part.seen = entry.rules->channels_seen(geometry.channels);
    for (FoldedPiece &folded : pieces_of(geometry, entry.variant)) {
        part.pieces.push_back({folded.geometry, folded.is_whole, folded.input, folded.output, folded.read, {}});
        if (sums_over_positions(problem.op)) {
            continue;
        }
        const auto &[z, y, x] = folded.geometry.extent;
        std::vector<Cut> depth = entry.sums->cut(z);
        for (Cut &cut : depth) {  // each phase of the depth has a set of panels for every phase of the height
            cut.weights *= y.axis.stride;
        }
        part.pieces.back().cuts = {std::move(depth), entry.sums->cut(y),
                                   entry.sums->cut_width(x, entry.variant.stride_x, problem.device)};
    }
    return part;
}

bool needs(const Program &program, bool Conditions::*condition) {
    return std::any_of(program.parts.begin(), program.parts.end(),
                       [&](const Part &part) { return part.entry->rules->needs == condition; });
}

int64_t items_in_32_bits(const Geometry &geometry, int64_t most_apart) {
    const int64_t batch = std::max<int64_t>(geometry.batch, 1);
    const auto apart =
        std::max<int64_t>({most_apart, geometry.input_elements() / batch, geometry.output_elements() / batch, 1});
    return std::clamp<int64_t>(std::numeric_limits<int32_t>::max() / apart, 1, batch);
}

int64_t items_of_call(const Part &part, const Piece &piece, int64_t most_apart) {
    const Geometry &geometry = piece.geometry;
    const int64_t items = items_in_32_bits(geometry, most_apart);
    const Variant &variant = part.entry->variant;
    if (variant.device == Device::cpu) {
        return items;
    }
    const int64_t of_grid = std::min(items, grid_limit / geometry.extent[2].axis.stride);
    if (variant.device == Device::opencl && of_grid < geometry.batch) {
        throw InvalidArgument("more than " + std::to_string(of_grid) +
                              " items of this size are not supported with OpenCL");
    }
    if (product({divide_up(part.seen.outputs, variant.block), part.seen.groups}) > grid_limit) {
        throw InvalidArgument("more than 65535 blocks of output channels are not supported on a GPU");
    }
    return of_grid;
}

}  // namespace unstride
