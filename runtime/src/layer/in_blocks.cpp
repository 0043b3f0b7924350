// A call whose arrays kernels cannot take as they are: block by block, of each of which there are dense copies.

#include "array/copy.h"
#include "array/scratch.h"
#include "layer/layer.h"
#include "run/blocks.h"

namespace unstride {
namespace {

// One array of a call.
class ForKernels {
public:
    ForKernels(const Problem &problem, int64_t most) : layout_(problem.layout), threads_(problem.threads), most_(most) {
    }

    // Returns a part of the array for kernels to write to: as it is, or in memory that is to be stored.
    Array to_write(const Array &part) {
        return part.fits_kernels(layout_, most_) ? part : copy_.like(part, layout_);
    }

    // Returns a part of the array for kernels to read: as it is, or a copy.
    Array to_read(const Array &part) {
        const Array taken = to_write(part);
        if (taken.data() != part.data()) {
            copy_elements(part, taken, threads_);
        }
        return taken;
    }

    // Copies what kernels have written to where it belongs, if they wrote to other memory.
    void store(const Array &written, const Array &part) const {
        if (written.data() != part.data()) {
            copy_elements(written, part, threads_);
        }
    }

private:
    const Layout layout_;
    const int threads_;
    const int64_t most_;
    Scratch copy_;
};

}  // namespace

bool ConvTranspose::State::fit_kernels(const Problem &problem, const Arrays &arrays) {
    const int64_t most = block_limits().elements;
    const auto fits = [&](const Array &array) { return array.fits_kernels(problem.layout, most); };
    return fits(arrays.input) && fits(arrays.output) && (!arrays.residual || fits(*arrays.residual));
}

void ConvTranspose::State::run_in_blocks(const Problem &problem, const Arrays &arrays, const Program &whole) const {
    const Blocks blocks(problem, arrays, whole.parts.front().entry->sums->outputs_of_row);
    if (forced_for(problem.op).entry != nullptr) {
        // A kernel that was compiled for a layer cannot compute all blocks, which shows before any is computed.
        for (int64_t number = 0; number < blocks.count(); number++) {
            plan_for(blocks.block(number).problem);
        }
    }
    const int64_t most = block_limits().elements;
    ForKernels input(problem, most), output(problem, most), residual(problem, most);
    for (int64_t number = 0; number < blocks.count(); number++) {
        const BlockOfProblem block = blocks.block(number);
        const Arrays parts = block.of(arrays);
        const Arrays taken{input.to_read(parts.input), output.to_write(parts.output),
                           parts.residual ? std::optional(residual.to_read(*parts.residual)) : std::nullopt};
        compute(plan_for(block.problem), block.problem, Stream{},
                [&](const Program &program) { run(program, block.problem, taken, Stream{}); });
        output.store(taken.output, parts.output);
    }
}

}  // namespace unstride
