#ifndef UNSTRIDE_RUNTIME_MACHINE_H
#define UNSTRIDE_RUNTIME_MACHINE_H

#include <cstdint>
#include <string>

namespace unstride {

// What choices of speed, never of results, are made from.
struct Machine {
    std::string cpu;  // printable, without quotes; family and model too, as some clouds call all their processors alike
    std::string isa;  // the widest of the catalog's that runs here

    // Bytes of a core's own data caches, and of the largest one, which cores may share. Typical sizes where unknown.
    int64_t l1d, l2, last_level;
};

const Machine &this_machine();

// Bytes of staged input that a task should read at most: half of a core's second-level cache, within 128 KiB and 1 MiB.
int64_t slab_limit();

// Cycles a second that a core makes now, timed once at the first call, which takes about a millisecond. Good to a few percent
// on processors whose integer multiplication takes three cycles, as those of Intel, AMD and most of Arm do.
double clock_hertz();

}  // namespace unstride

#endif
