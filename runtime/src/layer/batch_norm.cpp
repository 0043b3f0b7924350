#include "unstride/batch_norm.h"

#include <cmath>

#include "checks/checks.h"
#include "process/float_environment.h"

namespace unstride {

void fold_batch_norm(const ConvTranspose &layer, const BatchNorm &norm, ConvTranspose &folded) {
    const DefaultFloatEnvironment environment;
    const ConvTranspose3dOptions &options = layer.options();
    check_batch_norm(norm, layer.activation(), options.out_channels);
    const auto channels = static_cast<size_t>(options.out_channels),
               group = channels / static_cast<size_t>(options.groups);
    const auto group_inputs = static_cast<size_t>(options.in_channels / options.groups);
    const size_t taps = layer.weight().size() / (static_cast<size_t>(options.in_channels) * group);

    std::vector<double> scale(channels);
    std::vector<double> weight = layer.exact_weight(), bias(channels);
    const std::vector<double> before = layer.exact_bias();
    for (size_t c = 0; c < channels; c++) {
        scale[c] = (norm.weight.empty() ? 1 : norm.weight[c]) / std::sqrt(norm.running_var[c] + norm.eps);
        bias[c] =
            ((options.bias ? before[c] : 0) - norm.running_mean[c]) * scale[c] + (norm.bias.empty() ? 0 : norm.bias[c]);
    }
    for (size_t i = 0; i < weight.size(); i++) {
        const size_t filter = i / taps, of_group = filter / group / group_inputs;
        weight[i] *= scale[of_group * group + filter % group];
    }
    folded.set_weight(weight.data(), folded.weight_shape());
    folded.set_bias(bias.data(), folded.bias_shape());
}

}  // namespace unstride
