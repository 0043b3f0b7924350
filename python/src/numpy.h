#ifndef UNSTRIDE_PYTHON_NUMPY_H
#define UNSTRIDE_PYTHON_NUMPY_H

#include <nanobind/nanobind.h>
#include <unstride/tensor.h>

namespace unstride::python {

// Imports NumPy, which the functions below need. The module calls it once, when it is imported.
void import_numpy();

bool is_numpy_array(nanobind::handle object);

// Returns NumPy's type of this name; that of ml_dtypes for bf16. Throws ImportError if ml_dtypes is missing.
nanobind::object numpy_dtype(DType dtype);

// Return a new array of these sizes, which is not initialized. Its elements lie in the order of its dimensions, or have
// the strides of another order of a dense array, in elements.
nanobind::object empty_numpy(const Shape &sizes, nanobind::handle dtype);
nanobind::object empty_numpy(const Shape &sizes, nanobind::handle dtype, const Shape &strides, int64_t element_size);

}  // namespace unstride::python

#endif
