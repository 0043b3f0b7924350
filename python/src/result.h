#ifndef UNSTRIDE_PYTHON_RESULT_H
#define UNSTRIDE_PYTHON_RESULT_H

#include "array.h"

namespace unstride::python {

// A new array, and where its elements go. The array is not initialized.
struct Result {
    nanobind::object object;
    View<void> view;
};

// Makes an array of these sizes and dense strides, in elements, with the type and of the kind of `like`: NumPy's for an
// array of NumPy's or a buffer, otherwise one that the library of `like` makes with its from_dlpack. Where that library
// is not known, the array is NumPy's.
Result new_array(const Argument &like, const Shape &sizes, const Shape &strides);

}  // namespace unstride::python

#endif
