#include "device/isa.h"

#include <atomic>
#include <cstdlib>

#include "process/planning_changes.h"
#include "unstride/error.h"

namespace unstride {
namespace {

constexpr Isa table[] = {
// CMake generates {name, device, rank, bytes, fma, function} for each line of schedules/isas.txt.
#include "isa_entries.inc"
};

const Isa *find(const std::string &name) {
    for (const Isa &isa : table) {
        if (name == isa.name) {
            return &isa;
        }
    }
    return nullptr;
}

// Returns the names of all rows that belong, as in "a, b or c".
template<typename Belongs>
std::string names(const Belongs &belongs) {
    std::string text;
    int left = 0;
    for (const Isa &isa : table) {
        left += belongs(isa) ? 1 : 0;
    }
    for (const Isa &isa : table) {
        if (belongs(isa)) {
            left--;
            text += isa.name;
            text += left > 1 ? ", " : "";
            text += left == 1 ? " or " : "";
        }
    }
    return text;
}

// Returns the row for the name of a ceiling, or null if the name is empty. `setting` is where the name comes from.
const Isa *parse_ceiling(const std::string &setting, const std::string &name) {
    if (name.empty()) {
        return nullptr;
    }
    const Isa *found = find(name);
    if (found == nullptr || found->device != Device::cpu) {
        throw InvalidArgument(setting + ": expected " +
                              names([](const Isa &isa) { return isa.device == Device::cpu; }) + ", but got '" + name +
                              "'");
    }
    return found;
}

// The ceiling is null if there is none, and points to not_read until the environment variable is read. It needs no
// constructor or destructor at run time, so that layers work in those of an app's static objects.
constexpr Isa not_read{};
std::atomic<const Isa *> ceiling{&not_read};

const Isa *current_ceiling() {
    const Isa *current = ceiling;
    if (current == &not_read) {
        const char *environment = std::getenv("UNSTRIDE_MAX_ISA");
        const Isa *found = parse_ceiling("UNSTRIDE_MAX_ISA", environment != nullptr ? environment : "");
        // If another thread has set a ceiling meanwhile, that one holds.
        return ceiling.compare_exchange_strong(current, found) ? found : current;
    }
    return current;
}

// Returns the highest instruction set of the processor whose rank is at most this.
const Isa &best_up_to(int rank) {
#if defined(__x86_64__)
    __builtin_cpu_init();
#endif
    const Isa *best = nullptr;
    for (const Isa &isa : table) {
        const bool higher = best == nullptr || isa.rank > best->rank;
        if (isa.device == Device::cpu && isa.rank <= rank && higher && isa.processor_has()) {
            best = &isa;
        }
    }
    return *best;  // never null, as every processor has the baseline
}

}  // namespace

const Isa &find_isa(const std::string &name) {
    const Isa *found = find(name);
    if (found == nullptr) {
        throw InvalidArgument("there is no instruction set '" + name + "', but " +
                              names([](const Isa &) { return true; }));
    }
    return *found;
}

const Isa &best_isa() {
    static const Isa &best = best_up_to(1 << 30);
    return best;
}

const Isa &usable_isa() {
    const Isa *most = current_ceiling();
    return most == nullptr || most->rank >= best_isa().rank ? best_isa() : best_up_to(most->rank);
}

std::vector<InstructionSet> instruction_sets() {
    std::vector<InstructionSet> all;
    for (const Isa &isa : table) {
        all.push_back({isa.name, isa.device, isa.rank, isa.vector_bytes, isa.fma});
    }
    return all;
}

InstructionSet instruction_set(const std::string &name) {
    const Isa &isa = find_isa(name);
    return {isa.name, isa.device, isa.rank, isa.vector_bytes, isa.fma};
}

std::string max_isa() {
    const Isa *most = current_ceiling();
    return most != nullptr ? most->name : "";
}

void set_max_isa(const std::string &name) {
    ceiling = parse_ceiling("set_max_isa", name);
    planning_changes++;
}

}  // namespace unstride
