#ifndef UNSTRIDE_RUNTIME_DEVICE_PROCESSOR_H
#define UNSTRIDE_RUNTIME_DEVICE_PROCESSOR_H

#include <cstdint>
#include <string>

namespace unstride {

// Bytes of a core's own data caches, and of the largest cache; 0: unknown.
struct Caches {
    int64_t l1d, l2, last_level;
};

// Returns the field for a cache of this level, 1 or more, in which all levels from the third on are the last one.
inline int64_t &cache_of_level(Caches &caches, int level) {
    switch (level) {
    case 1:
        return caches.l1d;
    case 2:
        return caches.l2;
    default:
        return caches.last_level;
    }
}

// What the processor, or else the system, tells of the processor that runs this. A microarchitecture that the table
// lacks is "unknown".
struct ToldProcessor {
    std::string name, microarchitecture;
    Caches caches;
};

// It is in cpuid.cpp for x86-64, and in processor.cpp for all others.
ToldProcessor told_processor();

}  // namespace unstride

#endif
