#ifndef UNSTRIDE_RUNTIME_DEVICE_MICROARCHITECTURES_H
#define UNSTRIDE_RUNTIME_DEVICE_MICROARCHITECTURES_H

#include <string>

namespace unstride {

// How many instructions on vectors of one size a core starts in a cycle, all data being in the L1 cache.
struct VectorRates {
    double multiply_adds;  // fused
    double loads;          // whole vectors that do not straddle cache lines
    double broadcasts;     // loads of a number into all elements
    double stores;
    double shuffles;
};

// What the planner knows of a core besides its caches. The rates of vectors that a core does not have mean nothing.
struct Microarchitecture {
    const char *name;
    VectorRates of_16_bytes, of_32_bytes, of_64_bytes;
    double latency;            // cycles from the start of a multiply-add to that of one which needs its result
    double dot_products;       // of pairs of bf16 in vectors of 64 bytes, that are started in a cycle
    double bytes_from_l2;      // that a core loads in a cycle from its L2 cache
    double bytes_from_beyond;  // and from beyond it

    // The time of storing, and of staging inputs, in parts of what the models of cost count for Zen 3. The planner
    // command of bench/experiments.py fits them to times of kernels; those that are 1 are not fitted.
    double storing, staging;

    const VectorRates &rates(int vector_bytes) const {
        const VectorRates &narrow = vector_bytes <= 16 ? of_16_bytes : of_32_bytes;
        return vector_bytes > 32 ? of_64_bytes : narrow;
    }
};

// Returns the microarchitecture of this name. Throws InvalidArgument, which lists all names, if there is none.
const Microarchitecture &find_microarchitecture(const std::string &name);

}  // namespace unstride

#endif
