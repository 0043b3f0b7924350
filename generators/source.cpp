#include "pairs.h"
#include "sums.h"

namespace unstride {

using namespace Halide;

namespace {

// An element of the input in channel `number`. The last one repeats where a schedule computes beyond it, in whole
// blocks of what it turns.
Expr element(Kernel &kernel, const Expr &number) {
    if (kernel.lanes() != Lanes::channels || kernel.layout == Layout::ndhwc) {
        return kernel.input(x, y, z, number, g, n);
    }
    return kernel.input(kernel.existing(likely(x), column), kernel.existing(y, row), kernel.existing(z, slice),
                        kernel.existing(number, channel), g, kernel.existing(n, item));
}

}  // namespace

Func source_of(Kernel &kernel) {
    Func source("source");
    const Expr channels = kernel.input_extent(channel);
    if (kernel.facts().sums == Sums::pairs) {
        source(x, y, z, c, g, n) =
            pair_of_channels(c, channels, [&](const Expr &number) { return element(kernel, number); });
    } else {
        // Kernels that read in place are called with whole blocks of channels (FamilyRules::whole_blocks).
        const bool in_part = kernel.is_depthwise() && !reads_in_place(kernel.facts());
        const Expr existing = in_part ? min(likely(c), channels - 1) : Expr(c);
        source(x, y, z, c, g, n) = kernel.load(element(kernel, existing));
    }
    return source;
}

}  // namespace unstride
