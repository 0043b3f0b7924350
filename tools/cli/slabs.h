#ifndef UNSTRIDE_TOOLS_SLABS_H
#define UNSTRIDE_TOOLS_SLABS_H

#include <cstdint>

#include "unstride/unstride.h"

namespace unstride::tools {

// Computes a layer in slabs whose output has about `bytes` bytes: of some items of the batch, or of some slices of one
// item. So input, output and residual that are mapped files may be larger than memory. Where there are several slabs, a
// bar shows how many are done. `output_size` is the argument of ConvTranspose::output_shape; `residual` is null if
// there is none. The result has the bits of a forward of the whole.
void forward_in_slabs(const ConvTranspose &layer, const View<const void> &input, const View<void> &output,
                      const Shape &output_size, const View<const void> *residual, int64_t bytes);

}  // namespace unstride::tools

#endif
