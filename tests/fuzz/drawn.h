#ifndef UNSTRIDE_TESTS_FUZZ_DRAWN_H
#define UNSTRIDE_TESTS_FUZZ_DRAWN_H

#include <string>

#include "choices.h"
#include "unstride/unstride.h"

namespace unstride::tests {

// A layer that a fuzzer chose, and the sizes of its arrays.
struct Drawn {
    int spatial = 3;
    ConvTranspose3dOptions options;  // of the layer
    ConvTranspose3dOptions called;   // the same with the output padding that the call's arrays ask for
    Shape input, output;             // (N, C, D, H, W), whatever `spatial` is
    bool batched = true;             // whether the layer's arrays have a dimension for the batch of 1

    // Returns the sizes of one of the layer's arrays, without the dimensions that it lacks.
    Shape as_passed(const Shape &sizes) const;

    // Returns the number of multiplications, without a look at the edges.
    int64_t work() const;
};

// Returns a layer whose output exists, and which takes few multiplications.
Drawn draw(Choices &choices);

// Returns such a layer that a variant can run.
Drawn draw_for(Choices &choices, const Variant &variant);

std::string describe(const Drawn &drawn);

}  // namespace unstride::tests

#endif
