#ifndef UNSTRIDE_TESTS_APPS_CHILDREN_H
#define UNSTRIDE_TESTS_APPS_CHILDREN_H

#include <sys/wait.h>
#include <unistd.h>

#include <iostream>
#include <stdexcept>

namespace unstride::apps {

constexpr unsigned child_seconds = 60 * UNSTRIDE_PATIENCE;  // A child that takes longer counts as hanging.

// The status with which a child process ends that runs the function, or -1 if a signal ends it. The status is what the
// function returns, unless it ends the process itself.
template<typename Function>
int status_of_child(const Function &function) {
    const pid_t child = fork();
    if (child < 0) {
        throw std::runtime_error("there can be no more processes");
    }
    if (child == 0) {
        alarm(child_seconds);
        _exit(function());
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status)) {
        std::cerr << "a child ended by signal " << WTERMSIG(status) << std::endl;
        return -1;
    }
    return WEXITSTATUS(status);
}

// Whether a child process that runs the function ends with status 0.
template<typename Function>
bool child_succeeds(const Function &function) {
    const int status = status_of_child(function);
    if (status > 0) {
        std::cerr << "a child ended with status " << status << std::endl;
    }
    return status == 0;
}

}  // namespace unstride::apps

#endif
