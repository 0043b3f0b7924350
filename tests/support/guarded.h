#ifndef UNSTRIDE_TESTS_GUARDED_H
#define UNSTRIDE_TESTS_GUARDED_H

#include <random>
#include <vector>

#include "unstride/tensor.h"

namespace unstride::tests {

// An array that is a part of a larger one, with padded rows, slices and so on, in any order of the dimensions that
// keeps columns (ncdhw) or channels (ndhwc) dense. All that surrounds it, and at first the array itself, is a certain
// NaN, all of whose bits are set: what is read from there spoils the result, and what is written there is found.
class Guarded {
public:
    Guarded(const Shape &sizes, Layout layout, std::mt19937 &random, DType dtype = DType::f32);

    View<float> view();
    View<const float> const_view() const;
    View<void> any_view();
    bool surroundings_intact() const;

private:
    DType dtype_;
    std::vector<unsigned char> memory_;
    Shape sizes_, strides_;
    int64_t first_;  // element
};

}  // namespace unstride::tests

#endif
