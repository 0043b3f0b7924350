#ifndef UNSTRIDE_RUNTIME_ARRAY_COPY_H
#define UNSTRIDE_RUNTIME_ARRAY_COPY_H

#include "array/array.h"
#include "unstride/tensor.h"

namespace unstride {

// Copy all elements from one array to another of the same sizes and type, both in the process's memory. The strides may
// differ, and may be any.
void copy_elements(const View<const void> &from, const View<void> &to);
void copy_elements(const Array &from, const Array &to, int threads);

}  // namespace unstride

#endif
