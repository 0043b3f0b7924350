#ifndef UNSTRIDE_BATCH_NORM_H
#define UNSTRIDE_BATCH_NORM_H

#include <vector>

#include "unstride/conv_transpose.h"

namespace unstride {

// The parameters of torch.nn.BatchNorm1d, 2d or 3d, under their names, with one value for each channel. In evaluation
// mode the normalization maps each value v of a channel to
//
//   (v - running_mean) / sqrt(running_var + eps) * weight + bias
struct BatchNorm {
    std::vector<float> running_mean, running_var;
    std::vector<float> weight, bias;  // an empty weight is 1 in all channels, an empty bias 0
    double eps = 1e-5;
};

// Sets the weights and the bias of `folded` so that it alone computes what `layer` followed by the normalization, in
// evaluation mode, computes. `folded` must have the options of `layer`, but with a bias. Throws InvalidArgument for
// vectors that do not have one value for each output channel, for a variance that is not above -eps, and for a `layer`
// with an activation, which would come before the normalization.
void fold_batch_norm(const ConvTranspose &layer, const BatchNorm &norm, ConvTranspose &folded);

// Returns a new ConvTranspose1d, 2d or 3d, on the device of `layer`, that computes what `layer` followed by the
// normalization computes. Throws InvalidArgument as the function above does.
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
