#ifndef UNSTRIDE_RUNTIME_DEVICE_MACHINE_H
#define UNSTRIDE_RUNTIME_DEVICE_MACHINE_H

#include "device/isa.h"
#include "unstride/machine.h"

namespace unstride {

// this_machine() with so many threads, but without its clock, which takes time to find and no choice depends on.
Machine untimed_machine(int threads);

// Throws InvalidArgument for a machine that cannot be.
void check_machine(const Machine &machine);

// Why a machine cannot run kernels of an instruction set of the CPU; empty if it can.
std::string lack_of(const std::string &isa, const Machine &machine);

// Bytes of staged input that a task should read at most: half of a core's second-level cache, within 128 KiB and 1 MiB.
int64_t slab_limit(const Machine &machine);

// Cycles a second that a core makes now, timed once at the first call, which takes about a millisecond. Good to a few
// percent on processors whose integer multiplication takes three cycles, as those of Intel, AMD and most of Arm do.
double clock_hertz();

}  // namespace unstride

#endif
