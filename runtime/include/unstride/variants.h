#ifndef UNSTRIDE_VARIANTS_H
#define UNSTRIDE_VARIANTS_H

#include <memory>
#include <string>
#include <vector>

#include "unstride/device.h"
#include "unstride/operator.h"
#include "unstride/options.h"
#include "unstride/tensor.h"

namespace unstride {

// A kernel of the convolution, compiled ahead of time, for one layout, pair of types and instruction set.
struct Variant {
    // For example ndhwc_channels_32x12_s2_avx512, or ndhwc_channels_32x8_s1_bf16_avx512. Those of gradients begin with
    // the operator, as in input_gradient_ndhwc_channels_16x4_s1_avx2.
    std::string name;

    Operator op = Operator::forward;  // what the kernel computes

    // How the kernel gets at its sums. A vector is a register of several numbers that are computed at once.
    //
    //   channels    Vectors lie across output channels.
    //   columns     Vectors lie across output columns.
    //   depthwise   Vectors lie across either, for layers with as many groups as channels.
    //   winograd    As channels, but with minimal filters along depth and height, which take fewer multiplications.
    //   quads       As columns, for a GPU that reads four input channels at once: needs a multiple of four of them.
    //   pairs       As channels, for a processor that multiplies and adds two input channels of bf16 at once.
    //   taps        For few output channels: multiplies by all taps along height and width, and then adds up.
    //
    // An input gradient, whose output is grad_input, has the first four, quads, and two of its own:
    //
    //   stationary  As channels, but reads the weights of a tap once for all outputs of a task.
    //   in_place    As depthwise across channels, of which there are whole blocks, but reads grad_output where it is,
    //               without a copy in the cache.
    //
    // Weight gradients sum over positions:
    //
    //   outputs     Vectors lie across output channels, which are multiplied by input channels.
    //   inputs      Vectors lie across input channels, which are multiplied by taps, for few output channels.
    //   diagonal    Vectors lie across the channels of both, for depthwise layers.
    //
    // And so do bias gradients:
    //
    //   positions   Vectors lie across columns in ncdhw, and across channels in ndhwc.
    std::string family;

    Layout layout;
    Device device;
    std::string isa;  // one of instruction_sets() of unstride/machine.h
    Types types;

    // The stride along the width. A kernel with 1 takes any stride and dilation. A kernel with another number takes
    // that stride only, without dilation along the width, and interleaves the columns of the stride's phases itself.
    int stride_x;

    // The register tile, which is what one thread of the CPU or of a GPU sums up at once. The block of a depthwise
    // kernel for a GPU in ndhwc is that of a warp.
    int block;    // output channels of the tile; of a weight gradient, channels that its vectors lie across
    int columns;  // output columns of the tile; of a weight gradient, what is broadcast: input channels, or in families
                  // inputs and diagonal taps along the width

    // What the kernel knows of its layer when it is compiled, which is all that it runs: the kernel size and the stride
    // along height and width, without dilation there. Both are 0 if it runs any.
    int known_kernel = 0, known_stride = 0;

    // The only layer that the kernel runs, with any padding at the end and with or without a bias; null if it runs any
    // layer. Kernels for one layer come from unstride_add_layer in the app's CMake.
    std::shared_ptr<const ConvTranspose3dOptions> layer = nullptr;

    // Whether this process can run the kernel: the processor has its instructions and no ceiling (unstride/machine.h)
    // is below them, or the machine has its GPU, whose driver is loaded to find out.
    bool runs_here() const;

    // Says why this process cannot run the kernel, as "needs avx512, which this machine does not have". Empty if it
    // can.
    std::string why_not_here() const;

    // How sums are computed: "direct", "winograd", "taps", "pairs" or "products"; and what the vectors of a register
    // tile lie across: "channels", output "columns", or channels and "taps".
    std::string sums{}, lanes{};

    // Whether both variants round alike, if they have the same types: they sum in the same way, and both have fused
    // multiply-adds, or neither has.
    bool rounds_like(const Variant &other) const;
};

// Returns all variants: the catalog of this build, then those that the app added before main (unstride/register.h).
const std::vector<Variant> &variants();

// What runs for one layer, input and machine, and why.
struct Plan {
    Variant variant;
    std::string rest;       // name of the variant for output channels that do not fill a block of `variant`; or empty
    int64_t channels;       // output channels that `variant` computes; the last ones of each group are for `rest`
    std::string reason;     // the reason for this choice, in one or more sentences
    int threads;            // threads that share the work, or processors of a GPU
    int64_t tasks;          // tasks that the work is split into
    int64_t rows_per_task;  // output rows of a task; for family winograd, pairs of rows of a phase; 0 for gradients of
                            // weight and bias, whose tasks are sums over positions
    int64_t slices_per_task;  // the slices that a task has these rows of; for family winograd, pairs of slices

    // Calls of the kernel. There are two where phases along the width differ in length, and one for each phase of depth
    // and height for family winograd. A batch that is too large for one call multiplies them. A weight gradient has one
    // for each run of positions and share of the weights.
    int64_t kernel_calls;

    int64_t packed_bytes;     // size of the packed weights, which the layer keeps
    int64_t scratch_bytes;    // most memory that all threads together take during a call
    double multiply_adds;     // multiply-adds whose tap, input and output all exist
    double compulsory_bytes;  // size of input, weights and output, each of which has to be moved once
    double expected_seconds;  // time of a call whose weights are packed; 0 on a GPU whose clock is unknown

    // What the planner expects of this time to be spent on storing the output, or adding up sums, and on copying what
    // is read to where the kernel reads it; the rest is for multiply-adds. Both are 0 where the time was measured.
    double seconds_of_stores, seconds_of_staging;

    // Whether the time was measured, by the layer itself or as wisdom tells. Otherwise it is the planner's estimate,
    // which knows of arithmetic only: usually it is up to a half too short, and several times too short where memory is
    // the limit, as in depthwise layers.
    bool measured;

    // Whether the next calls still try other candidates beside this plan, which is what the planner estimates to be
    // the fastest (unstride/planning.h).
    bool under_trial;
};

// Set and get the number of threads that a forward may use, the caller's included. It is a setting of the whole
// process, which has one thread pool. The default is the environment variable HL_NUM_THREADS, or else the number of
// processors that the process may use when the number is first needed: those of its affinity mask, but no more than the
// quotas of its control groups allow. Results do not depend on the number, bit for bit. set_num_threads throws
// InvalidArgument unless 1 <= count <= 256.
void set_num_threads(int count);
int num_threads();

}  // namespace unstride

#endif
