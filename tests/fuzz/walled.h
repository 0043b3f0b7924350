#ifndef UNSTRIDE_TESTS_FUZZ_WALLED_H
#define UNSTRIDE_TESTS_FUZZ_WALLED_H

#include <vector>

#include "choices.h"
#include "unstride/unstride.h"

namespace unstride::tests {

// How the elements of an array lie in memory.
struct Placement {
    size_t dense = 0;      // the innermost dimension
    int64_t stride = 1;    // of that dimension
    bool spread = false;   // whether there may be gaps, and the dimensions may be in any order
    bool repeats = false;  // whether elements may share memory, by strides of 0
};

// An array between two pages that nobody may touch: it begins right behind the first one, or ends right before the
// second. Between its elements, and from it to the other page, there is a NaN all of whose bits are set. So what is
// read beside it ends the process or spoils the result, and what is written there is found.
class Walled {
public:
    Walled(const Shape &sizes, DType dtype, const Placement &placement, Choices &choices);
    ~Walled();
    Walled(const Walled &) = delete;
    Walled &operator=(const Walled &) = delete;

    // Views with the number of dimensions of space, or 0.
    View<void> view(int spatial = 0) const;

    // Keeps a copy of all that is between the pages.
    void remember();

    bool is_as_remembered() const;
    bool surroundings_intact() const;

private:
    unsigned char *room_;        // from page to page
    unsigned char *first_used_;  // the part of it that is looked at, at one of its ends
    size_t used_;
    DType dtype_;
    Shape sizes_, strides_;
    unsigned char *data_;
    std::vector<unsigned char> remembered_;
};

}  // namespace unstride::tests

#endif
