#include <stdexcept>

#include "epilogue.h"
#include "kernel.h"
#include "llvm_options.h"
#include "stages.h"
#include "sums.h"

namespace unstride {
namespace {

using namespace Halide;

// output(n, g, c, z, y, x) = bias(g, c) + sum over input channels and taps of weight * input, each output written once,
// with an epilogue. The stages are these, and the schedule of the kernel's family puts them in order:
//
//     source  ->  slab  ->  (products  ->)  sum  ->  phases  ->  output
class TransposedConvolution : public Generator<TransposedConvolution> {
public:
    Kernel kernel{*this};

    void configure() {
        kernel.set_types();
    }

    void generate() {
        choose_llvm_options(kernel.target(), kernel.facts());
        stages = kernel.stages();
        stages.source = source_of(kernel);
        if (recipe().sum == nullptr) {
            throw std::invalid_argument("the forward has no kernels of this family");
        }
        recipe().sum(kernel, stages);

        Func phases("phases");
        phases(c, q, rx, y, z, g, n) = stages.sum(c, q, rx, y, z, g, n);
        stages.phases = phases;

        // Column x of the output is position x / s of phase x % s where they are interleaved; else s is 1.
        const int s = kernel.interleave;
        const Expr sum = phases(c, x / s, p + x % s, y, z, g, n);
        const Epilogue follows = epilogue();
        stages.plain = follows.is_plain();
        kernel.output(x, p, y, z, c, g, n) = kernel.store(follows(sum));
        stages.output = kernel.output;
    }

    void schedule() {
        kernel.set_bounds();
        recipe().schedule(stages, kernel.tile());
        if (stages.gpu) {
            kernel.set_aligned_strides();
        } else {
            add_lowering_steps(get_pipeline(), stages);
        }
    }

private:
    Recipe recipe() const {
        return recipe_of(kernel.family, stages.gpu);
    }

    Epilogue epilogue() {
        const Expr residual = kernel.load_residual(kernel.residual(x, p, y, z, c, g, n));
        const Expr first = kernel.bias(c, g, 1), second = kernel.bias(c, g, 2);
        return {kernel.has_residual, residual, kernel.formula, first, second};
    }

    Stages stages;
};

}  // namespace
}  // namespace unstride

HALIDE_REGISTER_GENERATOR(unstride::TransposedConvolution, transposed_convolution)
