#ifndef UNSTRIDE_RUNTIME_PROCESS_FLOAT_ENVIRONMENT_H
#define UNSTRIDE_RUNTIME_PROCESS_FLOAT_ENVIRONMENT_H

#include <cfenv>

namespace unstride {

// While an object of this class lives, its thread rounds to nearest and computes subnormal numbers, whatever
// floating-point modes the app has set. Values that a layer keeps are computed under it, as calls in threads of other
// modes use them, too.
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
