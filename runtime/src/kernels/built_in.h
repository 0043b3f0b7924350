#ifndef UNSTRIDE_RUNTIME_KERNELS_BUILT_IN_H
#define UNSTRIDE_RUNTIME_KERNELS_BUILT_IN_H

#include <iterator>

#include "unstride/register.h"

namespace unstride {

struct BuiltInKernel {
    const char *name, *family;
    Layout layout;
    const char *isa;
    int stride_x, block, columns;
    DType input, output;
    Kernel kernel;
};

struct BuiltInActivation {
    DType output;
    const char *isa;
    ActivationKernel kernel;
};

template<typename T>
struct Range {
    const T *first, *last;

    const T *begin() const {
        return first;
    }
    const T *end() const {
        return last;
    }
};

// The kernels that a library has by itself, in the order of schedules/catalog.txt. They need no initialization, so that
// they are there before main.
struct BuiltIn {
    const char *advice;  // the end of a message that says that a type has no kernels
    Range<BuiltInKernel> kernels;
    Range<BuiltInActivation> activations;
};

// Those of the library that was linked; CMake generates it for each (runtime/kernels.cpp.in).
extern const BuiltIn built_in;

}  // namespace unstride

#endif
