#include "kernels/panels.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "array/memory.h"
#include "kernels/pack_weights.h"
#include "problem/checked.h"

namespace unstride {
namespace {

// The sizes of a set of panels.
struct Counts {
    int64_t blocks;           // panels of one group for each tap
    int64_t weights, biases;  // elements
};

Counts count(const PanelContents &contents, int64_t block) {
    const auto &[channels, taps] = contents;
    const int64_t blocks = divide_up(channels.outputs, block);
    return {blocks, product({channels.groups, channels.inputs, blocks, block, taps}),
            product({3, channels.groups, blocks, block})};
}

// Returns panels without weights yet.
Panels allocate_panels(const PanelContents &contents, DType dtype, int64_t block) {
    const Counts counts = count(contents, block);
    Panels panels{block, counts.blocks, dtype, nullptr, nullptr, nullptr, nullptr};
    panels.weight.reset(allocate(counts.weights, dtype, "the packed weights"));
    panels.bias.reset(allocate(counts.biases, dtype, "the packed bias"));
    return panels;
}

// Writes one value for each output channel to `to`, in blocks as panels have them, and returns the end of what it
// wrote. `values` has `all_outputs` values for each group, of which those before `first` belong to other panels. If it
// is empty, zeros are written.
template<typename From, typename T>
T *pack_channels(const Channels &channels, int64_t first, int64_t all_outputs, const std::vector<From> &values,
                 int64_t block, T *to) {
    const auto &[groups, inputs, outputs] = channels;
    for (int64_t g = 0; g < groups; g++) {
        for (int64_t c = 0; c < divide_up(outputs, block) * block; c++) {
            *to++ = c < outputs && !values.empty()
                        ? static_cast<T>(values[static_cast<size_t>(g * all_outputs + first + c)])
                        : T{0};
        }
    }
    return to;
}

std::vector<PanelContents> panels_of(const Geometry &geometry, const Entry &entry) {
    return entry.sums->panels(geometry, entry.rules->channels_seen(geometry.channels));
}

// Returns the strides of a layer's weights for the channels as a kernel sees them: where each output channel has its
// own input channel, the groups of the layer are the output channels of a single group.
WeightStrides strides_seen(const Entry &entry, WeightStrides strides) {
    if (entry.facts->inputs == Inputs::own) {
        strides.output = strides.group;
    }
    return strides;
}

// Returns the weights of a layer from output channel `first` of each group on, in the order in which a problem reads
// them. `channels` are those of the problem, with all output channels.
template<typename T>
Weights<T> in_order(WeightOrder order, const T *data, const Channels &channels, int64_t taps, int64_t first) {
    WeightStrides strides = dense_weight_strides(channels, taps);
    if (order != WeightOrder::as_they_are) {
        strides = dense_weight_strides({channels.groups, channels.outputs, channels.inputs}, taps);
        std::swap(strides.input, strides.output);
    }
    if (order == WeightOrder::reversed) {
        data += taps - 1;
        strides.tap = -1;
    }
    return {data + first * strides.output, strides};
}

template<typename T>
std::vector<Panels> pack_as(const Geometry &geometry, const Entry &entry, int64_t first, int64_t all_outputs,
                            const Parameters &parameters, WeightOrder order, std::vector<Panels> packed) {
    const Channels all{geometry.channels.groups, geometry.channels.inputs, all_outputs};
    const Channels seen = entry.rules->channels_seen(geometry.channels);
    const int64_t block = entry.variant.block, block_of_bias = entry.sums->has_blocks_of_products ? 1 : block;
    const auto &weight = parameters.weight.as<T>();
    // Bias and activation are those of the layer's outputs.
    const bool has_bias = order == WeightOrder::as_they_are;
    const std::vector<T> bias = has_bias ? parameters.bias.as<T>() : std::vector<T>();
    const FormulaParameters formula = has_bias ? parameters.formula : FormulaParameters();
    Weights<T> weights = in_order(order, weight.data(), all, geometry.taps(), first);
    weights.strides = strides_seen(entry, weights.strides);
    const std::vector<PanelContents> sets = panels_of(geometry, entry);
    if (packed.empty()) {
        for (const PanelContents &contents : sets) {
            packed.push_back(allocate_panels(contents, dtype_of<T>(), block));
        }
    }
    pack_weights(geometry, sets, weights, *entry.sums, packed);
    for (size_t set = 0; set < sets.size(); set++) {
        T *to = static_cast<T *>(packed[set].bias.get());
        to = pack_channels(seen, first, all_outputs, bias, block_of_bias, to);
        for (const std::vector<double> &taken : formula) {
            to = pack_channels(seen, first, all_outputs, taken, block_of_bias, to);
        }
    }
    return packed;
}

}  // namespace

std::vector<Panels> pack(const Geometry &geometry, const Entry &entry, int64_t first, int64_t all_outputs,
                         const Parameters &parameters, WeightOrder order, std::vector<Panels> outdated) {
    return entry.variant.types.sums() == DType::f64
               ? pack_as<double>(geometry, entry, first, all_outputs, parameters, order, std::move(outdated))
               : pack_as<float>(geometry, entry, first, all_outputs, parameters, order, std::move(outdated));
}

std::vector<Panels> pack(const Stream &stream, const Geometry &geometry, const Entry &entry,
                         const Parameters &parameters, WeightOrder order) {
    std::vector<Panels> packed = pack(geometry, entry, 0, geometry.channels.outputs, parameters, order);
    const std::vector<PanelContents> sets = panels_of(geometry, entry);
    const auto upload = [&](Memory &host, int64_t elements) {
        auto array = std::make_unique<DeviceArray>(stream, elements, entry.variant.types.sums());
        array->upload(host.get());
        array->synchronize();  // other streams may use it, too, and the copy may be under way until then
        host.reset();
        return array;
    };
    for (size_t set = 0; set < sets.size(); set++) {
        const Counts counts = count(sets[set], entry.variant.block);
        packed[set].device_weight = upload(packed[set].weight, counts.weights);
        packed[set].device_bias = upload(packed[set].bias, counts.biases);
    }
    return packed;
}

KernelBuffer<7> weight_buffer(const Panels &panels, const Entry &entry, const Channels &seen,
                              const std::array<int64_t, 3> &kernel) {
    const auto &[z, y, x] = kernel;
    const int64_t panel = seen.inputs * panels.block;  // elements
    const Origin origin{entry.variant.device, panels.dtype, panels.weight.get(), panels.device_weight.get(), 0};
    const std::array<int64_t, 7> extents{panels.block, seen.inputs, x, y, z, panels.blocks, seen.groups};
    // Where a panel has the weights of all taps along height and width, these dimensions do not lead from panel to
    // panel: only their extents matter to the kernel.
    if (entry.sums->has_blocks_of_products) {
        return {origin, extents, {1, panels.block, 0, 0, panel, panel * z, panel * z * panels.blocks}};
    }
    const int64_t row = panel * x, slice = row * y, block = slice * z;
    return {origin, extents, {1, panels.block, panel, row, slice, block, block * panels.blocks}};
}

KernelBuffer<3> bias_buffer(const Panels &panels, const Entry &entry, const Channels &seen) {
    const int64_t channels = entry.sums->has_blocks_of_products ? seen.outputs : panels.blocks * panels.block;
    return {{entry.variant.device, panels.dtype, panels.bias.get(), panels.device_bias.get(), 0},
            {channels, seen.groups, 3},
            {1, channels, channels * seen.groups}};
}

bool are_in_bf16(const std::vector<float> &numbers) {
    return std::all_of(numbers.begin(), numbers.end(), [](float number) {
        return static_cast<float>(BFloat16(number)) == number &&
               (number == 0 || std::abs(number) >= std::numeric_limits<float>::min());
    });
}

int64_t packed_bytes(const Geometry &geometry, const Entry &entry) {
    int64_t elements = 0;
    for (const PanelContents &contents : panels_of(geometry, entry)) {
        const Counts counts = count(contents, entry.variant.block);
        elements = add(elements, add(counts.weights, counts.biases));
    }
    return multiply(elements, sum_bytes(entry));
}

}  // namespace unstride
