#ifndef UNSTRIDE_GENERATORS_STAGES_H
#define UNSTRIDE_GENERATORS_STAGES_H

#include "Halide.h"

namespace unstride {

// The stages of a transposed convolution, from input to output. The generator defines them; a schedule decides where
// and in which order each is computed.
//
// A column x of the output is x = q * stride_x + rx: the columns with the same rx are a phase, and use the same taps.
struct Stages {
    Halide::Var x{"x"}, y{"y"}, z{"z"};           // column, row and slice of the output; x and y of the input in `slab`
    Halide::Var c{"c"}, g{"g"}, n{"n"};           // channel within its group, group, batch
    Halide::Var jz{"jz"};                         // number of a tap along z among those of the output's phase
    Halide::Var q{"q"}, rx{"rx"};                 // position within a phase, and the phase, along x
    Halide::RDom columns_in;                      // the input's columns
    Halide::RDom taps;                            // input channel, then the taps' numbers along x, y and z
    Halide::Func slab{"slab"};                    // (x, c, y, jz, z, g, n): the slice that tap jz of z reads, zero left and right
    Halide::Func sum{"sum"};                      // (c, q, rx, y, z, g, n): the accumulators
    Halide::Func phases{"phases"};                // the same values, all phases of a tile side by side
    Halide::Func output;                          // (x, y, z, c, g, n)
    int stride_x = 1;                             // static, so that x / stride_x and x % stride_x simplify
    Halide::Expr rows_per_task;                   // output rows that one parallel task computes

    bool channels_last = false;                   // ndhwc: channels are dense in memory; ncdhw: columns are
};

}  // namespace unstride

#endif
