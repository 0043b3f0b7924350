#ifndef UNSTRIDE_GENERATORS_STAGES_H
#define UNSTRIDE_GENERATORS_STAGES_H

#include "Halide.h"

namespace unstride {

// The dimensions. A column of the output is q * stride_x + rx: the columns with the same rx are a phase, and use the same taps.
inline const Halide::Var x{"x"}, y{"y"}, z{"z"};  // column, row and slice of the output; x and y of the input in `slab`
inline const Halide::Var p{"p"};                  // phase of `output`, whose x are then its positions
inline const Halide::Var c{"c"}, g{"g"}, n{"n"};  // channel within its group, group, item of the batch
inline const Halide::Var q{"q"}, rx{"rx"};        // position within a phase, and the phase, along x
inline const Halide::Var jz{"jz"};                // number of a tap along z among those of the output's phase

// The stages of a transposed convolution, from input to output. The generator defines them; a schedule decides where
// and in which order each is computed.
struct Stages {
    Halide::Func slab;    // (x, c, y, jz, z, g, n): the slice that tap jz of z reads, with zeros left and right of it
    Halide::Func sum;     // (c, q, rx, y, z, g, n): the accumulators
    Halide::Func phases;  // the same values, all phases of a tile side by side
    Halide::Func output;  // (x, p, y, z, c, g, n)

    Halide::RDom input_columns;  // of `slab`
    Halide::RDom taps;           // of `sum`: input channel, then the taps' numbers along x, y and z

    int interleave;                // phases along x that the kernel interleaves, all at once; 1 if the output keeps them apart
    bool channels_last;            // ndhwc: channels are dense in memory; ncdhw: columns are
    Halide::Expr rows_per_task;    // output rows that one parallel task computes,
    Halide::Expr blocks_per_task;  // in this many blocks of output channels
};

}  // namespace unstride

#endif
