#ifndef UNSTRIDE_RUNTIME_KERNELS_BUILT_IN_H
#define UNSTRIDE_RUNTIME_KERNELS_BUILT_IN_H

#include <iterator>

#include "operator.h"
#include "unstride/register.h"

namespace unstride {

struct BuiltInKernel {
    Operator op;
    const char *name, *family;
    Layout layout;
    const char *isa;
    int stride_x, block, columns, known_kernel, known_stride;
    DType input, output;
    AnyKernel kernel;
};

struct BuiltInActivation {
    DType output;
    const char *isa;
    ActivationKernel kernel;
};

template<typename T>
struct Sequence {  // an array that a range-based for loop can go through
    const T *first, *last;

    const T *begin() const {
        return first;
    }
    const T *end() const {
        return last;
    }
};

// The kernels that a library contains, in the order of schedules/catalog.txt. They are constants that need no
// initialization, so that code which runs before main can use them.
struct BuiltIn {
    const char *advice;  // the end of a message that says that a type has no kernels
    Sequence<BuiltInKernel> kernels;
    Sequence<BuiltInActivation> activations;
};

// The kernels of the library that was linked. CMake generates this table for each library (runtime/kernels.cpp.in).
extern const BuiltIn built_in;

}  // namespace unstride

#endif
