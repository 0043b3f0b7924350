#ifndef UNSTRIDE_TESTS_SETTINGS_H
#define UNSTRIDE_TESTS_SETTINGS_H

#include <string>
#include <vector>

#include "unstride/unstride.h"

namespace unstride::tests {

// Restores the process's settings after a test.
struct Settings {
    Settings() = default;
    ~Settings() {
        set_max_isa(max_isa_);
        set_num_threads(threads_);
    }
    Settings(const Settings &) = delete;
    Settings &operator=(const Settings &) = delete;

private:
    const std::string max_isa_ = max_isa();
    const int threads_ = num_threads();
};

// The instruction sets that this processor has, whatever the ceiling, from the lowest to the highest.
inline std::vector<InstructionSet> processor_isas() {
    const Settings restored;
    set_max_isa("");
    const int best = instruction_set(this_machine().isa).rank;
    std::vector<InstructionSet> here;
    for (const InstructionSet &isa : instruction_sets()) {
        if (isa.device == Device::cpu && isa.rank <= best) {
            here.push_back(isa);
        }
    }
    return here;
}

}  // namespace unstride::tests

#endif
