#ifndef UNSTRIDE_TESTS_ERRORS_H
#define UNSTRIDE_TESTS_ERRORS_H

#include <string>

namespace unstride::tests {

// The text of the error that a call ends with. An error of another type passes through and fails the test.
template<typename E, typename F>
std::string error_of(F call) {
    try {
        call();
    } catch (const E &error) {
        return error.what();
    }
    return "no error";
}

}  // namespace unstride::tests

#endif
