#ifndef UNSTRIDE_GENERATORS_CHUNKS_OF_PRODUCTS_H
#define UNSTRIDE_GENERATORS_CHUNKS_OF_PRODUCTS_H

#include "stages.h"

namespace unstride {

// Dimensions of the stages of a weight gradient on a GPU, beside the group `g`.
inline const Halide::Var co{"co"}, ci{"ci"}, tap{"tap"};
inline const Halide::Var chunk{"chunk"}, run_of_chunk{"run_of_chunk"};

// The contract between the weight gradient's sums of chunks (weight_gradient_gpu.cpp) and their schedule
// (schedules/chunks_of_products.cpp).
struct ChunksOfProducts {
    Halide::Func in_run;              // (co, ci, tap, g, chunk, run_of_chunk): products summed over
    Halide::RDom positions;           // the columns, rows, slices and items of a run
    std::vector<Halide::Func> boxes;  // (tap, chunk, run_of_chunk): the first position of a run, and how many
    Halide::Func sums;                // (co, ci, tap, g, chunk): in memory, to which are added
    Halide::RDom runs;                // the runs of a chunk

    bool channels_last;  // ndhwc: channels are dense in memory; ncdhw: columns are
};

// A thread has a tile of `block` output channels by `columns` input channels.
void schedule_chunks_of_products(ChunksOfProducts &stages, const Tile &tile);

}  // namespace unstride

#endif
