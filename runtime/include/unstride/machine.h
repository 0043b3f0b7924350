#ifndef UNSTRIDE_MACHINE_H
#define UNSTRIDE_MACHINE_H

#include <cstdint>
#include <string>
#include <vector>

#include "unstride/device.h"

namespace unstride {

// A target that kernels are compiled for: an instruction set of the CPU, or a kind of GPU. schedules/isas.txt is the
// table of all of them.
struct InstructionSet {
    std::string name;  // baseline, avx2, avx512 or avx512bf16; on aarch64 baseline or neon; cuda or opencl
    Device device;
    int rank;          // order of the CPU's instruction sets: each includes all of lower rank
    int vector_bytes;  // size of a vector register, or of one 32-bit number for each thread of a GPU's warp
    bool fma;          // whether a multiply-add rounds once, which gives other results than rounding twice
};

// Returns the instruction sets of this build's kind of processor, ordered by device and rank. A layer on the CPU runs
// kernels of those that the processor has and max_isa() allows: of each with FMA, if there is one.
std::vector<InstructionSet> instruction_sets();

// Returns the instruction set of this name. Throws InvalidArgument, which lists all names, if there is none.
InstructionSet instruction_set(const std::string &name);

// Get and set the ceiling: the highest instruction set whose kernels this process may run on the CPU, even if the
// processor has a higher one. An empty name means that there is no ceiling. Until set_max_isa is called, the ceiling is
// the value of the environment variable UNSTRIDE_MAX_ISA, where empty and unset are the same. A new ceiling holds for
// whatever layers run or plan next, in any thread. It can change results: baseline has no FMA, and rounds differently.
//
// set_max_isa throws InvalidArgument for a name that is none of the CPU's instruction sets. For such a name in the
// environment, max_isa and whatever else has to know which kernels may run throws it.
std::string max_isa();
void set_max_isa(const std::string &name);

// All properties of a machine by which the planner chooses variants and splits work, and for which wisdom holds: plans
// depend on no others. The default values are those of a machine of which nothing is known.
struct Machine {
    // The name of the processor in printable characters without quotes. It includes family and model, as some clouds
    // give all their processors the same name.
    std::string cpu = "unknown";

    std::string isa = "baseline";  // highest instruction set that the machine has and may run
    std::string max_isa;           // the ceiling, if that limits `isa` and not the processor; else empty
    int threads = 1;               // number of threads that share the work, 1 or more

    // Bytes of a core's own data caches, and of the largest cache, which several cores may share.
    int64_t l1d = 32 << 10, l2 = 512 << 10, last_level = 8 << 20;

    // The clock of a core in cycles a second, with which estimated cycles become seconds; 0 if it is unknown.
    double clock_hertz = 0;

    // One of microarchitectures(), which says what a core can do in a cycle.
    std::string microarchitecture = "unknown";
};

// Returns the names of the microarchitectures whose rates the planner knows: how many vectors of each size a core
// multiplies, loads and stores in a cycle, and the like. The last one, "unknown", is for all others.
std::vector<std::string> microarchitectures();

// Returns the microarchitecture of a processor. Of one of x86-64, `vendor`, `family` and `model` are what its
// instruction CPUID tells: the maker, as "AuthenticAMD" or "GenuineIntel", and the numbers of family and model with
// their extensions. Of one of aarch64, they are "ARM" and what its register MIDR_EL1 tells: implementer and part.
std::string microarchitecture_of(const std::string &vendor, int family, int model);

// Returns the machine that the process runs on, as far as it may use it now: with max_isa() and num_threads(). Caches
// whose size neither the processor nor the system tells have a typical size. The first call in a process measures the
// clock, which takes about a millisecond.
Machine this_machine();

}  // namespace unstride

#endif
