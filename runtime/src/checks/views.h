#ifndef UNSTRIDE_RUNTIME_CHECKS_VIEWS_H
#define UNSTRIDE_RUNTIME_CHECKS_VIEWS_H

#include <vector>

#include "checks/checks.h"

namespace unstride {

// The checks of one array or of two, of which those of a call in checks/checks.h are made.

// An array of a call, under the name that messages have for it.
struct NamedView {
    const char *name;
    const View<const void> &view;
};

bool has_elements(const Shape &sizes);

// Checks the memory and the strides of an array with channels and `spatial` dimensions of space.
void check_view(const NamedView &array, int spatial, Strides strides);

// Checks the memory and the strides of an array without a layout. If they are not any, none is negative.
void check_strided(const NamedView &array, Strides strides = Strides::any);

void check_shape(const char *name, const Shape &shape, const Shape &expected);

// Checks that no two elements of an array share memory.
void check_distinct(const NamedView &written);

// Checks that two arrays share no memory.
void check_apart(const NamedView &read, const NamedView &written);

// Returns the layout that all arrays have: the preferred one, if they may have both. Where they have none in common, it
// is the one with least to copy, or an error if strides have to be of a layout.
Layout common_layout(const std::vector<NamedView> &arrays, Layout preferred, int spatial, Strides strides);

}  // namespace unstride

#endif
