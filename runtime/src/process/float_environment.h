#ifndef UNSTRIDE_RUNTIME_PROCESS_FLOAT_ENVIRONMENT_H
#define UNSTRIDE_RUNTIME_PROCESS_FLOAT_ENVIRONMENT_H

#include <cfenv>

namespace unstride {

// While it lives, the thread rounds to nearest and computes subnormal numbers, whatever the app has set: for what a
// layer keeps and calls of other threads use.
class DefaultFloatEnvironment {
public:
    DefaultFloatEnvironment() {
        std::fegetenv(&before_);
        std::fesetenv(FE_DFL_ENV);
    }
    ~DefaultFloatEnvironment() {
        std::fesetenv(&before_);
    }
    DefaultFloatEnvironment(const DefaultFloatEnvironment &) = delete;
    DefaultFloatEnvironment &operator=(const DefaultFloatEnvironment &) = delete;

private:
    std::fenv_t before_{};
};

}  // namespace unstride

#endif
