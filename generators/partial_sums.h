#ifndef UNSTRIDE_GENERATORS_PARTIAL_SUMS_H
#define UNSTRIDE_GENERATORS_PARTIAL_SUMS_H

namespace unstride {

// A sum over positions has this many partial sums: position i of an item is added to number i modulo it. It is the same
// for all kernels, so that all of them round alike.
constexpr int partial_sums = 16;

}  // namespace unstride

#endif
