#ifndef UNSTRIDE_TESTS_RUN_TESTS_H
#define UNSTRIDE_TESTS_RUN_TESTS_H

namespace unstride::tests {

// Runs the test cases of this program, as the arguments of its main function ask for: the exit status. It is in a
// source of its own because that of Catch2 2 compiles all of Catch2, and should do so once.
int run_tests(int argc, char **argv);

}  // namespace unstride::tests

#endif
