#ifndef UNSTRIDE_TESTS_SOME_WISDOM_H
#define UNSTRIDE_TESTS_SOME_WISDOM_H

#include <string>
#include <vector>

#include "unstride/unstride.h"

namespace unstride::tests {

// Wisdom of one layer, for tests of what it does and of how it is kept.
inline const ConvTranspose3dOptions grouped{16, 40, 3, 2, 1, 1, 2};
inline const Shape input_shape{2, 16, 4, 5, 11};

// Every test starts and ends without wisdom.
struct NoWisdom {
    NoWisdom() {
        forget_wisdom();
    }
    ~NoWisdom() {
        forget_wisdom();
    }
    NoWisdom(const NoWisdom &) = delete;
    NoWisdom &operator=(const NoWisdom &) = delete;
};

// The variants that wisdom may name for a layer that is summed tap by tap.
std::vector<Variant> candidates(const ConvTranspose3dOptions &options, Layout layout);

WisdomEntry entry_for(const Variant &v, int64_t rows = 3, const ConvTranspose3dOptions &options = grouped,
                      const Shape &input = input_shape);

// Wisdom for both layouts and two sizes.
std::string some_wisdom();

}  // namespace unstride::tests

#endif
