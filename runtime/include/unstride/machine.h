#ifndef UNSTRIDE_MACHINE_H
#define UNSTRIDE_MACHINE_H

#include <cstdint>
#include <string>
#include <vector>

#include "unstride/device.h"

namespace unstride {

// What kernels are compiled for: instruction sets of the CPU, and kinds of GPUs. schedules/isas.txt is the table of
// them.
struct InstructionSet {
    std::string name;  // baseline, avx2, avx512 or avx512bf16; cuda or opencl
    Device device;
    int rank;          // a CPU has those of lower rank, too, and runs kernels of the highest that it has
    int vector_bytes;  // of a GPU those of a warp, 32 bits for each thread
    bool fma;          // whether multiply-adds round once; sums with and without round differently
};

// Those of this build's kind of processor, ordered by device and rank.
std::vector<InstructionSet> instruction_sets();

// One of them. Throws InvalidArgument, which lists all names, for another name.
InstructionSet instruction_set(const std::string &name);

// The highest instruction set whose kernels this process may run on the CPU, whatever the processor has; empty if there
// is no such ceiling. It comes from the environment variable UNSTRIDE_MAX_ISA, where unset and empty are the same,
// until set_max_isa sets one, or lifts it with an empty name. Both throw InvalidArgument for a name that is none of the
// CPU's instruction sets; of the environment's, whatever needs to know what may run throws. Layers follow: what they
// run or plan next, in any thread, keeps below the new ceiling. Results without FMA, of baseline, round differently.
std::string max_isa();
void set_max_isa(const std::string &name);

// What the planner chooses and splits by, and wisdom is for. What it does not say, no plan depends on. As it is by
// default, it is a machine of which nothing is known.
struct Machine {
    // Printable, without quotes; family and model too, as some clouds call all their processors alike.
    std::string cpu = "unknown";

    std::string isa = "baseline";  // the highest instruction set that it has and may run; it has all of lower rank
    std::string max_isa;           // the ceiling, where that and not the processor is the limit; else empty
    int threads = 1;               // that share the work, 1 or more

    // Bytes of a core's own data caches, and of the largest one, which cores may share.
    int64_t l1d = 32 << 10, l2 = 512 << 10, last_level = 8 << 20;

    // Cycles a second that a core makes, to turn the planner's cycles into time; 0 if it is not known.
    double clock_hertz = 0;
};

// The machine that the process runs on, as it may use it now: max_isa() and num_threads() are in it, and typical sizes
// for caches that the processor and the system do not tell. The clock is timed once in a process, which takes about a
// millisecond.
Machine this_machine();

}  // namespace unstride

#endif
