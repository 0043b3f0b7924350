#ifndef UNSTRIDE_PLANNING_H
#define UNSTRIDE_PLANNING_H

namespace unstride {

// How a layer on the CPU finds out which variants are fastest for an input: those that wisdom names
// (unstride/wisdom.h), or else those of the least estimated time, or those that it measures itself. Results are the
// same, bit for bit, however a layer is planned.
enum class Planning {
    estimate,  // The variants of the least estimated time run.

    // The first calls of an operator for an input's sizes, layout and types each run one of the variants and splits
    // whose estimated times are near the least. Then the fastest one stays. It takes the place of the estimate's choice
    // only if it is faster by more than 3 %. There are some 10 to 60 such calls, and no more than most_trials; each
    // gives the result that it always does. They are timed while the app runs, and say more if nothing else keeps the
    // processors busy. Until the fastest is found, the layer keeps its weights packed for each of the variants.
    measure,

    // As `measure`, and the fastest one goes into the wisdom of the process, so that other layers with the same
    // parameters and input need not measure, and wisdom_text() has it. Left out are choices of two variants, which
    // wisdom does not know, and those for an input or weights of 2^50 in magnitude or above.
    remember,
};

const char *to_string(Planning planning);

// The most calls that try candidates for one operator and input, if they come one after the other. Where several
// threads call the layer at once, they may try the same candidate at the same time.
constexpr int most_trials = 90;

}  // namespace unstride

#endif
