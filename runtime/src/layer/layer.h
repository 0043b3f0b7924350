#ifndef UNSTRIDE_RUNTIME_LAYER_LAYER_H
#define UNSTRIDE_RUNTIME_LAYER_LAYER_H

#include <array>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <vector>

#include "checks/checks.h"
#include "formula.h"
#include "layer/packed_weights.h"
#include "plan/planner.h"
#include "plan/program_cache.h"
#include "run/execute.h"
#include "unstride/conv_transpose.h"

namespace unstride {

// The data of a layer, and the one way through the runtime on which all its calls end: the problem of a call becomes a
// program, which is kept, and the program runs. What a program of an operator reads and writes is in the operator's own
// file.
struct ConvTranspose::State {
    ConvTranspose3dOptions options;
    int spatial = 3;

    Parameters parameters;
    bool has_moderate_weights = false, has_weights_in_bf16 = false;  // see Conditions
    Activation activation;
    Formula formula = Formula::none;  // how kernels compute `activation`
    mutable PackedWeights packed;

    Device device = Device::cpu;
    int processors = 0;  // number of the GPU's multiprocessors or compute units; 0 for the CPU
    std::array<Forced, std::size(operators)> forced;  // by operator
    Planning planning;
    mutable ProgramCache programs;

    // Makes a layer whose planning is the one that the environment asks for.
    State();

    // Finds out which Conditions new weights meet, and forgets the packed ones.
    void weight_is_set();

    // Returns the problem of a call with these sizes, which are the layer's, on the assumption that its input is
    // moderate and aligned. This reads the number of threads once for the whole call, as another thread may set it at
    // any time.
    Problem problem_of(Operator op, const Geometry &geometry, Layout layout, const Types &types) const;

    // Returns how this machine computes a problem, and keeps it for later calls with the same problem.
    Planned plan_for(const Problem &problem) const;

    // Returns what a caller demands who forces a variant, of an operator if there is one: nothing if the name is empty.
    // Throws InvalidArgument where set_variant does.
    Forced demand(const std::string &name, int64_t rows_per_task, const std::optional<Operator> &op) const;

    // What the caller demands of an operator.
    const Forced &forced_for(Operator op) const {
        return forced[static_cast<size_t>(op)];
    }

    // Returns the layout of an operator's forced variant, if there is one, which views that fit both layouts are taken
    // to have.
    std::optional<Layout> forced_layout(Operator op) const {
        const Entry *entry = forced_for(op).entry;
        return entry != nullptr ? std::optional(entry->variant.layout) : std::nullopt;
    }

    // Do what the overloads of ConvTranspose::forward do. `residual` is null if there is none.
    void forward(const View<const void> &input, const View<void> &output, const View<const void> *residual) const;
    void forward(const View<const void> &input, const View<void> &output, const View<const void> *residual,
                 CudaStream cuda_stream) const;
    void forward(const DeviceTensor &input, DeviceTensor &output, const DeviceTensor *residual) const;

    Block halo(const Geometry &whole, const Block &outputs) const;
    void forward_block(const View<const void> &input, const View<void> &output, const View<const void> *residual,
                       const Block &outputs, const Geometry &whole) const;

    // Do what the functions of ConvTranspose of the same names do. `cuda` is null for memory of the process.
    void input_gradient(const View<const void> &grad_output, const View<void> &grad_input, Update update,
                        const CudaStream *cuda) const;
    void weight_gradient(const View<const void> &input, const View<const void> &grad_output,
                         const View<void> &grad_weight, Update update, const CudaStream *cuda) const;
    void bias_gradient(const View<const void> &grad_output, const View<void> &grad_bias, Update update,
                       const CudaStream *cuda) const;

private:
    // How a call computes its result with a program. All programs of a problem give the same bits.
    using RunProgram = std::function<void(const Program &)>;

    // Computes a problem as it was planned: with the program, or the next one of the trials. On this all operators end.
    template<typename Run>
    void compute(const Planned &planned, const Problem &problem, const Stream &stream, const Run &run) const {
        if (planned.trials) {
            compute_trial(planned, problem, stream, run);
        } else {
            run(*planned.program);
        }
    }

    // Takes the time of a call that runs the next one of its trials. Where this ends the trials, their winner stays.
    void compute_trial(const Planned &planned, const Problem &problem, const Stream &stream,
                       const RunProgram &run) const;

    // Returns the problem of a block of outputs that begins at `begin` and has the sizes of `output`, from the inputs
    // that begin at `from`. `residual` is null if there is none.
    Problem problem_of_block(const View<const void> &input, const View<void> &output, const View<const void> *residual,
                             const Shape &from, const Shape &begin, const Geometry &whole) const;

    // Runs a forward whose views are checked.
    void run_checked(const Problem &problem, const View<const void> &input, const View<void> &output,
                     const View<const void> *residual) const;

    // Checks the views of a call, and returns its problem.
    Problem checked(const View<const void> &input, const View<void> &output, const View<const void> *residual,
                    Strides strides) const;

    // Runs or queues a call of forward or the input gradient, on which all their overloads end. The arrays are in the
    // memory of the process, or of the stream's GPU.
    void run(Problem problem, const Arrays &arrays, const Stream &stream) const;

    void run(const Program &program, const Problem &problem, const Arrays &arrays, const Stream &stream) const;

    // Returns whether the arrays of a call on the CPU are such as kernels take, of up to 2^31 - 1 elements.
    static bool fit_kernels(const Problem &problem, const Arrays &arrays);

    // Runs a call on the CPU whose arrays are not. `whole` is how the problem is computed in one piece.
    void run_in_blocks(const Problem &problem, const Arrays &arrays, const Program &whole) const;

    // Packs the weights that a program reads, unless they are. Returns false where memory does not suffice.
    bool pack(const Program &program, const Problem &problem, const Stream &stream) const;

    // Runs a call on a GPU for arrays in the process's memory, through copies in the GPU's memory. One copy holds as
    // many items of the batch as an array of a GPU can have.
    void run_through_copies(Problem problem, const View<const void> &input, const View<void> &output,
                            const View<const void> *residual) const;
};

}  // namespace unstride

#endif
