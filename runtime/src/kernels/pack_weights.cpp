#include "kernels/pack_weights.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <type_traits>

#include "array/memory.h"
#include "problem/checked.h"
#include "process/thread_pool.h"
#include "unstride/variants.h"

namespace unstride {
namespace {

// Returns how many threads pack this many weights: a few are packed before another thread would be awake.
int threads_to_pack(size_t weights) {
    constexpr size_t least = 1 << 16;
    return weights < least ? 1 : num_threads();
}

// Taps that are packed together. They lie side by side in the weights, in about a line of the cache, and far apart in
// the panels.
constexpr int64_t taps_at_once = 16;

// Copies `taps` taps of `lanes` neighbouring filters to as many vectors. Lanes from number `filled` on have no filter,
// and are zero.
template<typename T>
void gather_lanes(const T *from, const WeightStrides &strides, int64_t filled, int64_t lanes, int64_t taps, T *to) {
    for (int64_t lane = 0; lane < lanes; lane++) {
        const bool exists = lane < filled;
        for (int64_t tap = 0; tap < taps; tap++) {
            to[tap * lanes + lane] = exists ? from[lane * strides.output + tap * strides.tap] : T{0};
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

template<typename T>
const Repacking<T> &repacking_of(const SumsRules &sums) {
    if constexpr (std::is_same_v<T, double>) {
        return sums.doubles;
    } else {
        return sums.floats;
    }
}

}  // namespace

template<typename T>
void pack_weights(const Geometry &geometry, const std::vector<PanelContents> &sets, const Weights<T> &weights,
                  const SumsRules &sums, std::vector<Panels> &panels) {
    const Repacking<T> &repacking = repacking_of<T>(sums);
    if (repacking.transform != nullptr) {
        TransformedPacking<T>(geometry, sets, weights, repacking, panels).run();
        return;
    }
    for (size_t set = 0; set < sets.size(); set++) {
        const PanelContents &contents = sets[set];
        if (repacking.arrange != nullptr) {
            const std::vector<T> arranged = repacking.arrange(geometry, weights, set);
            pack_taps(contents, Weights<T>{arranged.data(), dense_weight_strides(contents.channels, contents.taps)},
                      panels[set]);
        } else {
            pack_taps(contents, weights, panels[set]);
        }
    }
}

template void pack_weights(const Geometry &, const std::vector<PanelContents> &, const Weights<float> &,
                           const SumsRules &, std::vector<Panels> &);
template void pack_weights(const Geometry &, const std::vector<PanelContents> &, const Weights<double> &,
                           const SumsRules &, std::vector<Panels> &);

}  // namespace unstride
