#ifndef UNSTRIDE_TESTS_GUARDED_H
#define UNSTRIDE_TESTS_GUARDED_H

#include <random>
#include <vector>

#include "unstride/tensor.h"

namespace unstride::tests {

// An array that is a part of a larger one, with padded rows, slices and so on, in any order of the dimensions that keeps
// columns (ncdhw) or channels (ndhwc) dense. All that surrounds it, and at first the array itself, is a certain NaN: what
// is read from there spoils the result, and what is written there is found.
class Guarded {
public:
    Guarded(const Shape &sizes, Layout layout, std::mt19937 &random);

    View<float> view();
    View<const float> const_view() const;
    bool surroundings_intact() const;

private:
    std::vector<float> memory_;
    Shape sizes_, strides_;
    int64_t first_;
};

}  // namespace unstride::tests

#endif
