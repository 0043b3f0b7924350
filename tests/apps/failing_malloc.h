#ifndef UNSTRIDE_TESTS_APPS_FAILING_MALLOC_H
#define UNSTRIDE_TESTS_APPS_FAILING_MALLOC_H

#include <cstdint>

namespace unstride::apps {

// Whether one allocation fails, or this one and all that follow.
enum class Fails { one, all };

// Lets the n-th allocation from here on fail, in whichever thread and by whatever function of C or C++.
void let_fail(int64_t n, Fails which);

// Lets no allocation fail any longer. Returns how many have failed.
int64_t let_succeed();

// The number of blocks of memory that the program has.
int64_t live_blocks();

}  // namespace unstride::apps

#endif
