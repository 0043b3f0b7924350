#ifndef UNSTRIDE_RUNTIME_LAYER_INITIALIZE_H
#define UNSTRIDE_RUNTIME_LAYER_INITIALIZE_H

#include <cstdint>
#include <vector>

#include "unstride/conv_transpose.h"

namespace unstride {

// Fills `weight`, then `bias`, as `torch.manual_seed(seed); torch.nn.ConvTranspose3d(...)` does on the CPU, bit for
// bit.
void initialize(const ConvTranspose3dOptions &options, uint64_t seed, std::vector<float> &weight,
                std::vector<float> &bias);

}  // namespace unstride

#endif
