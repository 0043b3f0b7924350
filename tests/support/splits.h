#ifndef UNSTRIDE_TESTS_SPLITS_H
#define UNSTRIDE_TESTS_SPLITS_H

#include <string>

#include "support/harness.h"

namespace unstride::tests {

// Checks that a layer which is planned for a family gives the same bits in both layouts (with FMA; without, in each),
// for any number of threads, and with every variant of the family and split that is forced. `most_rows` is the largest
// split: what a task has of a height that is larger counts as this.
void check_same_bits(const Case &c, const std::string &family, int64_t most_rows);

}  // namespace unstride::tests

#endif
