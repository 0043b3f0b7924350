#ifndef UNSTRIDE_GENERATORS_STAGES_H
#define UNSTRIDE_GENERATORS_STAGES_H

#include "Halide.h"

namespace unstride {

// The stages of a transposed convolution, from input to output. The generator defines them; a schedule decides where
// and in which order each is computed.
//
// A column x of the output is x = q * stride_x + rx: the columns with the same rx are a phase, and use the same taps.
struct Stages {
    Halide::Var x{"x"}, y{"y"}, z{"z"};           // output column, row and slice; in `row`, the input column
    Halide::Var c{"c"}, g{"g"}, n{"n"};           // channel within its group, group, batch
    Halide::Var q{"q"}, rx{"rx"};                 // position within a phase, and the phase, along x
    Halide::Var jy{"jy"}, jz{"jz"};               // number of a tap among those of the output's phase
    Halide::RDom taps;                            // input channel, then the taps' numbers along x, y and z
    Halide::Func row{"row"};                      // (x, c, jy, jz, y, z, g, n): what tap (jz, jy) reads; zero outside
    Halide::Func sum{"sum"};                      // (c, q, rx, y, z, g, n): the accumulators
    Halide::Func phases{"phases"};                // the same values, all phases of a tile side by side
    Halide::Func output;                          // (x, y, z, c, g, n)
    int stride_x = 1;                             // static, so that x / stride_x and x % stride_x simplify
    Halide::Expr rows_per_task;                   // output rows that one parallel task computes

    bool channels_last = false;                   // ndhwc: channels are dense in memory; ncdhw: columns are
};

}  // namespace unstride

#endif
