#include "layer_cache.h"

#include <algorithm>
#include <mutex>

namespace unstride::python {

class LayerCache {
public:
    using Layers = std::list<CachedLayer::Kept>;

    static LayerCache &of_process() {
        static auto *const cache = new LayerCache;  // for calls at the end of the process, it is never deleted
        return *cache;
    }

    static CachedLayer::Key key_of(const ConvTranspose3dOptions &o, int spatial) {
        CachedLayer::Key key{spatial, o.in_channels, o.out_channels, o.groups, o.bias ? 1 : 0};
        size_t next = 5;
        for (const Triple *t : {&o.kernel_size, &o.stride, &o.padding, &o.output_padding, &o.dilation}) {
            for (int d = 0; d < 3; d++) {
                key.at(next++) = (*t)[d];
            }
        }
        return key;
    }

    // Returns the layer of a key, or nothing if none is kept.
    Layers take(const CachedLayer::Key &key) {
        Layers taken;
        const std::lock_guard<std::mutex> lock(mutex_);
        const auto found =
            std::find_if(kept_.begin(), kept_.end(), [&](const CachedLayer::Kept &k) { return k.key == key; });
        if (found != kept_.end()) {
            taken.splice(taken.begin(), kept_, found);
        }
        return taken;
    }

    // Keeps one layer, and returns those that are too many.
    Layers keep(Layers &layer) {
        Layers dropped;
        const std::lock_guard<std::mutex> lock(mutex_);
        kept_.splice(kept_.begin(), layer);
        size_t layers = 0;
        int64_t weights = 0;
        auto last = kept_.begin();
        while (last != kept_.end() &&
               (layers == 0 || (layers < most_layers && weights + last->weights <= most_weights))) {
            layers++;
            weights += last->weights;
            ++last;
        }
        dropped.splice(dropped.begin(), kept_, last, kept_.end());
        return dropped;
    }

private:
    static constexpr size_t most_layers = 32;
    static constexpr int64_t most_weights = int64_t{1} << 24;

    std::mutex mutex_;
    Layers kept_;  // the one that was used last comes first
};

CachedLayer::CachedLayer(const ConvTranspose3dOptions &options, int spatial) {
    const Key key = LayerCache::key_of(options, spatial);
    kept_ = LayerCache::of_process().take(key);
    if (kept_.empty()) {
        const nanobind::gil_scoped_release no_gil;
        auto layer = std::make_unique<Layer>(options, spatial);
        const auto weights = static_cast<int64_t>(layer->layer.weight().size());
        kept_.push_front({key, weights, std::move(layer)});
    }
}

CachedLayer::~CachedLayer() {
    LayerCache::of_process().keep(kept_);
}

}  // namespace unstride::python
