#ifndef UNSTRIDE_BLOCK_H
#define UNSTRIDE_BLOCK_H

#include "unstride/tensor.h"

namespace unstride {

// A part of an array: in each of its dimensions of space, the elements from `begin` to before `end`; in the others,
// all of them.
struct Block {
    Shape begin, end;
};

}  // namespace unstride

#endif
