#ifndef UNSTRIDE_VARIANTS_H
#define UNSTRIDE_VARIANTS_H

#include <memory>
#include <string>
#include <vector>

#include "unstride/device.h"
#include "unstride/options.h"
#include "unstride/tensor.h"

namespace unstride {

// One ahead-of-time compiled kernel of this build.
struct Variant {
    std::string name;  // for example ndhwc_channels_32x12_s2_avx512, or ndhwc_channels_32x8_s1_bf16_avx512
    std::string
        family;  // channels: vectors across output channels; columns: vectors across output columns;
                 // depthwise: one of these, for layers with as many groups as channels;
                 // winograd: across output channels, with minimal filters along depth and height;
                 // quads: columns of a GPU that reads four input channels at once, where there is a multiple of four;
                 // pairs: channels of a processor that multiplies and adds two input channels of bf16 at once;
                 // taps: for few output channels, products of all taps along height and width before they are summed
    Layout layout;
    Device device;
    std::string isa;  // baseline, avx2, avx512 or avx512bf16; cuda or opencl
    Types types;      // of input and output
    int stride_x;     // 1: any stride; else this stride only, undilated, its phases interleaved in the kernel
    int block;  // output channels of a register tile: on a GPU of a thread, or in depthwise kernels of ndhwc of a warp
    int columns;  // output columns of a register tile

    // The only layer that it runs, with any padding at the far end and with or without a bias: it comes from
    // unstride_add_layer in the app's CMake. Null: any layer.
    std::shared_ptr<const ConvTranspose3dOptions> layer = nullptr;

    // Whether this machine has the instructions and no ceiling (unstride/machine.h) is below them, or it has such a
    // device, whose driver is loaded to find out; and why it cannot run it, empty if it can: "needs avx512, which this
    // machine does not have".
    bool runs_here() const;
    std::string why_not_here() const;
};

// The catalog of this build, then what the app adds to it before main: see unstride/register.h.
const std::vector<Variant> &variants();

// What runs for one geometry on a machine, and why.
struct Plan {
    Variant variant;
    std::string rest;       // name of the variant that computes the output channels which do not fill a block; or empty
    int64_t channels;       // output channels that `variant` computes; the last of each group are for `rest`
    std::string reason;     // one or more sentences
    int threads;            // threads that share the work, or processors of a GPU
    int64_t tasks;          // pieces that the work is split into
    int64_t rows_per_task;  // output rows in a piece; pairs of a phase's rows if the variant is of family winograd
    int64_t kernel_calls;  // calls of the kernel: two where phases differ in length along the width, one for each phase
                           // of depth and height if it is of family winograd, times batch slices if need be
    int64_t packed_bytes;  // memory that the packed weights take, kept with the layer
    int64_t scratch_bytes;    // most memory that all threads together take during a forward
    double multiply_adds;     // those whose tap and output both exist
    double compulsory_bytes;  // input, weights and output, each moved once
    double expected_seconds;  // of a forward whose weights are packed; 0 on a GPU whose clock is not known
    bool measured;  // that time, by `unstride tune`; else it is the planner's estimate, which knows arithmetic only:
                    // usually up to a half too short, and several times where memory binds, as in depthwise layers
};

// Threads that a forward may use, the caller's included; a setting of the process, as the thread pool is. By default
// the environment variable HL_NUM_THREADS, or else the number of processors that the process may run on: those of its
// affinity mask, and no more than a quota of its control groups is worth, as they are when this is first asked for.
// Results do not depend on it, bit for bit. Throws InvalidArgument if count < 1 or count > 256.
void set_num_threads(int count);
int num_threads();

}  // namespace unstride

#endif
