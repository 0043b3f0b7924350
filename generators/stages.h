#ifndef UNSTRIDE_GENERATORS_STAGES_H
#define UNSTRIDE_GENERATORS_STAGES_H

#include <vector>

#include "Halide.h"
#include "family.h"

namespace unstride {

// The dimensions. A column of the output is q * stride_x + rx: the columns with the same rx are a phase, and use the
// same taps.
inline const Halide::Var x{"x"}, y{"y"}, z{"z"};  // column, row and slice of the output; x and y of the input in `slab`
inline const Halide::Var p{"p"};                  // phase of `output`, whose x are then its positions
inline const Halide::Var c{"c"}, g{"g"}, n{"n"};  // channel within its group, group, item of the batch
inline const Halide::Var q{"q"}, rx{"rx"};        // position within a phase, and the phase, along x
inline const Halide::Var jx{"jx"}, jy{"jy"}, jz{"jz"};  // numbers of a tap among those of the output's phase
inline const Halide::Var my{"my"}, mz{"mz"};  // a product of a minimal filter; y and z then count pairs of outputs

// The contract between the mathematics and the schedules: the stages of a transposed convolution, from input to output.
// A generator defines them; a schedule decides where and in which order each is computed. Neither names the other.
struct Stages {
    Halide::Func source;    // (x, y, z, c, g, n): the input
    Halide::Func slab;      // (x, c, rows of the slab..., z, g, n): the input that is read, with zeros left and right
                            // of it; on a GPU (c, q, rx, jx, jy, jz, y, z, g, n), that which a tap of an output reads;
                            // undefined where a CPU reads the input in place
    Halide::Func product;   // where products come before sums, the accumulators of a tile of them, and
    Halide::Func products;  // the same values, all those of a task side by side
    Halide::Func sum;       // (c, q, rx, y, z, g, n): the accumulators of the output
    Halide::Func phases;    // the same values, all phases of a tile side by side
    Halide::Func turned;    // the same values, rows of a tile dense; undefined where they need not be turned
    Halide::Func output;    // (x, p, y, z, c, g, n)

    std::vector<Halide::Var> slab_rows;  // what the rows of `slab` are counted by, between c and z
    Halide::RVar input_columns;          // the columns of `slab` that the input has
    // Where `slab` has phases along x: how many columns of the input are from one of its columns to the next. Then a
    // second update has the columns that not all of the phases have.
    Halide::Expr input_step;
    Halide::Func tap_columns;        // (jx): position and phase of the column of `slab` that a tap of output 0 reads
    Halide::RDom product_taps;       // `product` goes over the input channel, then the taps' numbers along x
    Halide::Expr slab_channels;      // of `slab`, where schedules tell a single one from several; undefined elsewhere
    std::vector<Halide::RDom> taps;  // each update of `sum` goes over the input channel, then perhaps the taps' numbers
                                     // along x, y and z; or over products

    bool in_place;         // the input is read where it is
    bool one_tap_apart;    // `sum` has an update of its own for layers whose outputs have no more than one tap each
    bool cheap_masks;      // a part of a vector is stored under a mask in no more time than a whole one
    bool gpu;              // computed by the threads of a GPU, each a tile of outputs in registers
    bool minimal_filters;  // the outputs are computed in pairs of rows and slices, from products
    int interleave;        // phases along x that the kernel interleaves, all at once; 1 if the output keeps them apart
    bool channels_last;    // ndhwc: channels are dense in memory; ncdhw: columns are
    Task task;             // what a parallel task computes
    Lanes lanes;           // what the vectors of a tile lie across

    Halide::Expr plain;  // whether nothing follows the sums, neither a residual nor an activation

    // What one parallel task computes: a box of outputs (or pairs of them), and this many blocks of output channels.
    Halide::Expr rows_per_task, slices_per_task, items_per_task, blocks_per_task;
};

// A register tile: `block` output channels by `columns` output columns of one phase, `lanes` numbers to a vector.
struct Tile {
    int block, columns, lanes;
};

// Defines the stages from `slab` to `sum`, from `source`. It asks the kernel for what that knows of its layer.
class Kernel;
using Summation = void (*)(Kernel &kernel, Stages &stages);

using Schedule = void (*)(Stages &stages, const Tile &tile);

// How kernels of a family are made; `sum` is null if the forward has none. Throws std::invalid_argument for a family
// that has none on a GPU, or on a CPU (schedules/families.cpp).
struct Recipe {
    Summation sum;
    Schedule schedule;
};
Recipe recipe_of(Family family, bool gpu);

// Adds steps to the compilation of a pipeline for a CPU (schedules/lowering.cpp).
void add_lowering_steps(Halide::Pipeline pipeline, const Stages &stages);

}  // namespace unstride

#endif
