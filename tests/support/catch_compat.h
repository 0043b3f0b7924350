#ifndef UNSTRIDE_TESTS_CATCH_COMPAT_H
#define UNSTRIDE_TESTS_CATCH_COMPAT_H

// The one place that knows two major versions of Catch2: 3 (Debian 13, most package managers) and 2.13 (Debian 12).
// SKIP_TEST(message) ends the test case; CTest shows it as skipped because of the text, which cmake/run-tests.py
// repeats at the end.

#if __has_include(<catch2/catch_test_macros.hpp>)

#include <catch2/catch_test_macros.hpp>
#include <iostream>

#define SKIP_TEST(message)                                                                                             \
    do {                                                                                                               \
        std::cout << "[SKIP] " << (message) << std::endl;                                                              \
        SKIP();                                                                                                        \
    } while (false)

#else

#include <catch2/catch.hpp>
#include <iostream>

#define SKIP_TEST(message)                                                                                             \
    do {                                                                                                               \
        std::cout << "[SKIP] " << (message) << std::endl;                                                              \
        SUCCEED("skipped");                                                                                            \
        return;                                                                                                        \
    } while (false)

#endif

#endif
