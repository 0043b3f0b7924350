#ifndef UNSTRIDE_TESTS_FUZZ_OUTCOME_H
#define UNSTRIDE_TESTS_FUZZ_OUTCOME_H

#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

#include "unstride/unstride.h"

namespace unstride::tests {

// What a fuzzer found.
struct Finding : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// The numbers that a call has to give, and how far it may be from them.
struct Outcome {
    DType dtype;                 // of the numbers
    std::vector<double> want;    // exact
    double bound_of_sums = 0;    // how far a sum may be off before it is rounded; 0 where it must be exact
    int roundings = 1;           // to the type, of the number or of its sum; where sums are exact, one must be right
    double relative = 0;         // error of an activation, relative to the number
    std::vector<double> sums{};  // what activations get, if there is one
};

// Throws a Finding that begins with `what` unless all numbers are as they have to be.
void compare(const std::string &what, const std::vector<double> &got, const Outcome &outcome);

}  // namespace unstride::tests

#endif
