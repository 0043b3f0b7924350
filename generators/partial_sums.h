#ifndef UNSTRIDE_GENERATORS_PARTIAL_SUMS_H
#define UNSTRIDE_GENERATORS_PARTIAL_SUMS_H

#include "family.h"

namespace unstride {

// A sum over positions has this many partial sums: position i of an item is added to number i modulo it. It is the same
// for all kernels, so that all of them round alike.
constexpr int partial_sums = 16;

// A block of a GPU's threads has the partial sums of this many channels. Its warps lie across channels or positions.
constexpr int channels_of_block(Lanes lanes) {
    return lanes == Lanes::channels ? 16 : 8;
}

}  // namespace unstride

#endif
