#include "kernels/panels.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <utility>

#include "array/memory.h"
#include "problem/checked.h"
#include "process/thread_pool.h"
#include "unstride/variants.h"

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

// Taps that are packed together. They lie side by side in the weights, in about a line of the cache, and far apart in
// the panels.
constexpr int64_t taps_at_once = 16;

// Copies `taps` taps of `lanes` neighbouring filters to as many vectors. Lanes from number `filled` on have no filter,
// and are zero.
template<typename T>
void gather_lanes(const T *from, const WeightStrides &strides, int64_t filled, int64_t lanes, int64_t taps, T *to) {
    for (int64_t lane = 0; lane < lanes; lane++) {
        const T *const filter = from + lane * strides.output;
        for (int64_t tap = 0; tap < taps; tap++) {
            to[tap * lanes + lane] = lane < filled ? filter[tap * strides.tap] : T{0};
        }
    }
}

// Packs a few taps of the weights of one input channel and a block of output channels, of which `filled` exist. They go
// to `to`, the taps `panel` elements apart. Both sides are in powers of two apart, which the ways of a cache are too
// few for: so each side is gone through once, in its own order.
template<typename T>
void pack_vectors(const T *from, const WeightStrides &strides, int64_t filled, int64_t taps, int64_t block, T *to,
                  int64_t panel) {
    constexpr int64_t lanes_at_once = 32;
    std::array<T, taps_at_once * lanes_at_once> turned;
    for (int64_t first = 0; first < block; first += lanes_at_once) {
        const int64_t lanes = std::min(lanes_at_once, block - first);
        gather_lanes(from + first * strides.output, strides, filled - first, lanes, taps, turned.data());
        for (int64_t tap = 0; tap < taps; tap++) {
            std::copy_n(turned.data() + tap * lanes, lanes, to + tap * panel + first);
        }
    }
}

template<typename T>
void pack_taps(const PanelContents &contents, const Weights<T> &weights, Panels &panels) {
    const auto &[groups, inputs, outputs] = contents.channels;
    const int64_t taps = contents.taps, block = panels.block, blocks = panels.blocks, panel = inputs * block;
    const auto pack_some = [&, inputs = inputs, outputs = outputs](int64_t group, int64_t b, int64_t first_tap) {
        const int64_t filled = std::min(block, outputs - b * block), count = std::min(taps_at_once, taps - first_tap);
        T *const first = static_cast<T *>(panels.weight.get()) + ((group * blocks + b) * taps + first_tap) * panel;
        for (int64_t c = 0; c < inputs; c++) {
            const T *from = weights.filter(group, c, b * block) + first_tap * weights.strides.tap;
            pack_vectors(from, weights.strides, filled, count, block, first + c * block, panel);
        }
    };
    const int64_t parts = divide_up(taps, taps_at_once), all = product({groups, blocks, parts});
    share_turns(threads_to_pack(static_cast<size_t>(product({groups, blocks, taps, panel}))), all,
                [&](int64_t i) { pack_some(i / parts / blocks, i / parts % blocks, i % parts * taps_at_once); });
}

// Packs what takes the place of the taps in all sets of panels: filters of a few neighbouring output channels and a few
// input channels at a time, so that weights are read once, and each panel is written once, in runs of several lines.
template<typename T>
class TransformedPacking {
public:
    TransformedPacking(const Geometry &geometry, const std::vector<PanelContents> &sets, const Weights<T> &weights,
                       const Repacking<T> &repacking, std::vector<Panels> &packed)
        : geometry_(geometry), channels_(sets.front().channels), sets_(sets), weights_(weights), repacking_(repacking),
          packed_(packed), block_(packed.front().block), blocks_(packed.front().blocks), taps_(geometry.taps()) {
        for (const PanelContents &contents : sets) {
            elements_ += contents.taps;
        }
    }

    void run() const {
        const int64_t vectors = divide_up(block_, filters_at_once), parts = divide_up(channels_.inputs, inputs_at_once),
                      turns = product({channels_.groups, blocks_, vectors, parts}),
                      of_thread = (taps_ + inputs_at_once * elements_) * filters_at_once;
        const int threads = threads_to_pack(
            static_cast<size_t>(product({channels_.groups, blocks_, block_, channels_.inputs, elements_})));
        const Memory scratch(allocate(threads * of_thread, dtype_of<T>(), "weights that are packed"));
        std::atomic<int64_t> next{0}, thread{0};
        in_threads(static_cast<int>(std::min<int64_t>(threads, turns)), [&] {
            T *const own = static_cast<T *>(scratch.get()) + thread++ * of_thread;
            for (int64_t i = next++; i < turns; i = next++) {
                const int64_t panel = i / parts / vectors;  // of all groups
                pack(panel / blocks_, panel % blocks_, i / parts % vectors * filters_at_once,
                     i % parts * inputs_at_once, own);
            }
        });
    }

private:
    static constexpr int64_t inputs_at_once = 8;

    // Packs the lanes from number `lane` on of a panel, for the input channels from number `input` on.
    void pack(int64_t group, int64_t block, int64_t lane, int64_t input, T *scratch) const {
        T *const taps = scratch, *const elements = scratch + taps_ * filters_at_once;
        const int64_t first = block * block_ + lane, lanes = std::min(filters_at_once, block_ - lane),
                      inputs = std::min(inputs_at_once, channels_.inputs - input);
        for (int64_t c = 0; c < inputs; c++) {
            gather_lanes(weights_.filter(group, input + c, first), weights_.strides, channels_.outputs - first,
                         filters_at_once, taps_, taps);
            T *to = elements + c * elements_ * filters_at_once;
            for (size_t set = 0; set < sets_.size(); to += sets_[set].taps * filters_at_once, set++) {
                repacking_.transform(geometry_, set, taps, to);
            }
        }
        const T *from = elements;
        for (size_t set = 0; set < sets_.size(); set++) {
            const int64_t count = sets_[set].taps, panel = channels_.inputs * block_;
            T *to = static_cast<T *>(packed_[set].weight.get()) + (group * blocks_ + block) * count * panel +
                    input * block_ + lane;
            for (int64_t e = 0; e < count; e++, from += filters_at_once, to += panel) {
                for (int64_t c = 0; c < inputs; c++) {
                    std::copy_n(from + c * elements_ * filters_at_once, lanes, to + c * block_);
                }
            }
        }
    }

    const Geometry &geometry_;
    const Channels channels_;
    const std::vector<PanelContents> &sets_;
    const Weights<T> &weights_;
    const Repacking<T> &repacking_;
    const std::vector<Panels> &packed_;
    const int64_t block_, blocks_, taps_;
    int64_t elements_ = 0;  // of all sets
};

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

template<typename T>
const Repacking<T> &repacking_of(const SumsRules &sums) {
    if constexpr (std::is_same_v<T, double>) {
        return sums.doubles;
    } else {
        return sums.floats;
    }
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
    const Weights<T> weights = in_order(order, weight.data(), all, geometry.taps(), first);
    const std::vector<PanelContents> sets = panels_of(geometry, entry);
    const Repacking<T> &repacking = repacking_of<T>(*entry.sums);
    if (packed.empty()) {
        for (const PanelContents &contents : sets) {
            packed.push_back(allocate_panels(contents, dtype_of<T>(), block));
        }
    }
    if (repacking.transform != nullptr) {
        TransformedPacking<T>(geometry, sets, weights, repacking, packed).run();
    }
    for (size_t set = 0; set < sets.size(); set++) {
        const PanelContents &contents = sets[set];
        if (repacking.arrange != nullptr) {
            const std::vector<T> arranged = repacking.arrange(geometry, weights, set);
            pack_taps(contents, Weights<T>{arranged.data(), dense_weight_strides(contents.channels, contents.taps)},
                      packed[set]);
        } else if (repacking.transform == nullptr) {
            pack_taps(contents, Weights<T>{weights.data, strides_seen(entry, weights.strides)}, packed[set]);
        }
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

int threads_to_pack(size_t weights) {
    constexpr size_t least = 1 << 16;
    return weights < least ? 1 : num_threads();
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
