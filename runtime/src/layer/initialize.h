#ifndef UNSTRIDE_RUNTIME_LAYER_INITIALIZE_H
#define UNSTRIDE_RUNTIME_LAYER_INITIALIZE_H

#include <cstdint>
#include <vector>

#include "unstride/conv_transpose.h"

namespace unstride {

// Fills `weight` and then `bias`, in the order of PyTorch's random draws, with the values that
// `torch.manual_seed(seed); torch.nn.ConvTranspose3d(...)` gives them on the CPU, bit for bit.
void initialize(const ConvTranspose3dOptions &options, uint64_t seed, std::vector<float> &weight,
                std::vector<float> &bias);

// As long as an object of this class lives, layers that its thread makes have weights and biases of 0, which takes less
// time where there are many that are to be set anyway.
class ZeroWeights {
public:
    explicit ZeroWeights(bool are_wanted);
    ~ZeroWeights();
    ZeroWeights(const ZeroWeights &) = delete;
    ZeroWeights &operator=(const ZeroWeights &) = delete;

    static bool are_wanted();

private:
    const bool outside_;
};

}  // namespace unstride

#endif
