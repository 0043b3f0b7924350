#ifndef UNSTRIDE_RUNTIME_ARRAY_COPY_H
#define UNSTRIDE_RUNTIME_ARRAY_COPY_H

#include "unstride/tensor.h"

namespace unstride {

// Copies all elements from one array to another of the same sizes and type, whose strides may differ.
void copy_elements(const View<const void> &from, const View<void> &to);

}  // namespace unstride

#endif
