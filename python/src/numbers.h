#ifndef UNSTRIDE_PYTHON_NUMBERS_H
#define UNSTRIDE_PYTHON_NUMBERS_H

#include <nanobind/nanobind.h>
#include <unstride/block.h>
#include <unstride/options.h>
#include <unstride/tensor.h>

namespace unstride::python {

// Returns an integer, or throws TypeError for anything else, and ValueError for one that does not fit in 64 bits.
// Messages call it `name`.
int64_t integer(const char *name, nanobind::handle object);

// Returns the sizes that a sequence of integers has; none for None.
Shape sizes(const char *name, nanobind::handle object);

// Returns a parameter that has a number for each of `spatial` dimensions, or one for all of them. Dimensions that the
// layer lacks get `lacking`. Throws TypeError for anything but an integer or a sequence of integers, and ValueError,
// with PyTorch's message, for another number of them.
Triple triple(const char *name, nanobind::handle object, int spatial, int64_t lacking);

// Returns the block that a sequence of slices is, one for each dimension of space. Throws TypeError for anything else,
// and ValueError for slices that leave out elements.
Block block(const char *name, nanobind::handle object);
nanobind::tuple slices_of(const Block &block);

// Returns the last `spatial` numbers as a tuple.
nanobind::tuple tuple_of(const Triple &triple, int spatial);
nanobind::tuple tuple_of(const Shape &sizes);

}  // namespace unstride::python

#endif
