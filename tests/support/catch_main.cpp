#include "support/run_tests.h"

int main(int argc, char **argv) {
    return unstride::tests::run_tests(argc, argv);
}
