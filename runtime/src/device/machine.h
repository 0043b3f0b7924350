#ifndef UNSTRIDE_RUNTIME_DEVICE_MACHINE_H
#define UNSTRIDE_RUNTIME_DEVICE_MACHINE_H

#include "device/isa.h"
#include "unstride/machine.h"

namespace unstride {

// Returns this_machine() with this number of threads, and without the clock, which takes time to measure and on which
// no choice depends.
Machine untimed_machine(int threads);

// Throws InvalidArgument for a machine that cannot exist.
void check_machine(const Machine &machine);

// Returns why a machine cannot run kernels of an instruction set of the CPU, or an empty text if it can.
std::string lack_of(const std::string &isa, const Machine &machine);

// Returns how many bytes of staged input a task should read at most, so that they stay in a core's second-level cache:
// half of its size, but from 128 KiB to 1 MiB.
int64_t slab_limit(const Machine &machine);

// Returns how many cycles a second a core makes. The first call in a process measures that, in about a millisecond. The
// result is right to a few percent on processors whose integer multiplication takes three cycles, which is true of
// Intel's, AMD's and most of Arm's.
double clock_hertz();

}  // namespace unstride

#endif
