#ifndef UNSTRIDE_TESTS_SPLITS_H
#define UNSTRIDE_TESTS_SPLITS_H

#include <string>

#include "support/harness.h"

namespace unstride::tests {

// Checks that a layer which is planned for a family gives the same bits for any number of threads, and with every
// variant of the family and every split that is forced. With FMA both layouts give the same bits, too. `most_rows` is
// the largest split: where a task is asked to have more rows, it has these.
void check_same_bits(const Case &c, const std::string &family, int64_t most_rows);

}  // namespace unstride::tests

#endif
