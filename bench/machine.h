#ifndef UNSTRIDE_BENCH_MACHINE_H
#define UNSTRIDE_BENCH_MACHINE_H

#include <string>

#include "unstride/device.h"

namespace unstride::bench {

// The limits of a machine, which bound the speed of every layer.
struct Machine {
    std::string cpu;
    int threads;
    double peak_gflops;    // f32 multiply-adds from registers, counted as two
    double bandwidth_gbs;  // 1e9 bytes per second to and from memory
};

// Measures this machine with so many threads, which takes about half a second, and 768 MiB of memory meanwhile. The
// peak is that of vectors as this_machine() may use them.
Machine measure_machine(int threads);

// Returns what a GPU's driver says of it, its processors in place of threads; 0 where it does not say. Throws
// DeviceError.
Machine describe_machine(Device device);

// Measures the clock of one busy core in GHz: an addition that waits for the one before it takes a cycle.
double measure_clock_ghz();

}  // namespace unstride::bench

#endif
