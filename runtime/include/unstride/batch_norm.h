#ifndef UNSTRIDE_BATCH_NORM_H
#define UNSTRIDE_BATCH_NORM_H

#include <vector>

#include "unstride/conv_transpose.h"

namespace unstride {

// What torch.nn.BatchNorm1d, 2d and 3d have for each channel, under their names: (v - running_mean) / sqrt(running_var
// + eps) * weight + bias.
struct BatchNorm {
    std::vector<float> running_mean, running_var;
    std::vector<float> weight, bias;  // empty: all 1, and all 0
    double eps = 1e-5;
};

// Sets the weights and the bias of a layer that is as `layer`, but has a bias, to those that compute what `layer` and
// then, in evaluation mode, the normalization compute. Throws InvalidArgument for vectors that have not one value for
// each output channel, for a variance that is not above -eps, and for a layer with an activation, which would come
// before the normalization.
void fold_batch_norm(const ConvTranspose &layer, const BatchNorm &norm, ConvTranspose &folded);

// Such a ConvTranspose1d, 2d or 3d, on the same device.
template<typename Layer>
Layer fold_batch_norm(const Layer &layer, const BatchNorm &norm) {
    auto options = layer.options();
    options.bias = true;
    Layer folded(options);
    folded.set_device(layer.device());
    fold_batch_norm(layer, norm, folded);
    return folded;
}

}  // namespace unstride

#endif
