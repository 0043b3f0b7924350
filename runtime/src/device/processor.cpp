// What is known of processors other than those of x86-64, which no instruction describes as a whole: Linux and macOS
// tell of theirs in ways of their own.

#if !defined(__x86_64__)

#include "device/processor.h"

#include "unstride/machine.h"

#if defined(__linux__) && defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>

#include <array>
#include <cstdio>
#include <fstream>
#elif defined(__APPLE__)
#include <sys/sysctl.h>
#endif

namespace unstride {

#if defined(__linux__) && defined(__aarch64__)

namespace {

// Returns the register that names the core, or 0 where the system does not let programs read it.
uint64_t midr() {
    uint64_t value = 0;
    if ((getauxval(AT_HWCAP) & HWCAP_CPUID) != 0) {
        asm("mrs %0, MIDR_EL1" : "=r"(value));
    }
    return value;
}

// Reads the size of the first core's data caches, which are in files, as "1024K".
Caches caches_of_files() {
    Caches caches{};
    for (int index = 0; index < 16; index++) {
        const std::string folder = "/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(index);
        int level = 0;
        std::string type;
        int64_t size = 0;
        char unit = 0;
        std::ifstream(folder + "/level") >> level;
        std::ifstream(folder + "/type") >> type;
        std::ifstream(folder + "/size") >> size >> unit;
        if (level == 0) {
            break;
        }
        if (type != "Instruction") {
            cache_of_level(caches, level) = size * (unit == 'M' ? 1 << 20 : 1 << 10);
        }
    }
    return caches;
}

}  // namespace

ToldProcessor told_processor() {
    const uint64_t id = midr();
    if (id == 0) {
        return {"unknown", "unknown", caches_of_files()};
    }
    const auto implementer = static_cast<unsigned>(id >> 24 & 0xff), part = static_cast<unsigned>(id >> 4 & 0xfff);
    std::array<char, 40> name{};
    std::snprintf(name.data(), name.size(), "ARM, implementer 0x%02x part 0x%03x", implementer, part);
    return {name.data(), microarchitecture_of("ARM", static_cast<int>(implementer), static_cast<int>(part)),
            caches_of_files()};
}

#elif defined(__APPLE__)

namespace {

int64_t number_of(const char *name) {
    int64_t number = 0;
    size_t bytes = sizeof number;
    return sysctlbyname(name, &number, &bytes, nullptr, 0) == 0 ? number : 0;
}

}  // namespace

// Level 0 of performance are the fast cores. Apple's cores since the M1 have the rates of its.
ToldProcessor told_processor() {
    char name[80] = "unknown";
    size_t bytes = sizeof name - 1;
    sysctlbyname("machdep.cpu.brand_string", name, &bytes, nullptr, 0);
    return {
        name,
        "apple_m1",
        {number_of("hw.perflevel0.l1dcachesize"), number_of("hw.perflevel0.l2cachesize"), number_of("hw.l3cachesize")}};
}

#else

ToldProcessor told_processor() {
    return {"unknown", "unknown", {}};
}

#endif

}  // namespace unstride

#endif
