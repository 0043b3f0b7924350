#ifndef UNSTRIDE_PYTHON_LAYER_CACHE_H
#define UNSTRIDE_PYTHON_LAYER_CACHE_H

#include <array>
#include <list>
#include <memory>

#include "calls.h"

namespace unstride::python {

// A layer for one call of a function that has no layer of its own. Layers are kept for later calls of the same
// parameters, which need not plan again, nor allocate memory for weights. No other call uses a layer until this object
// is gone. Its weights and bias are those of an earlier call.
class CachedLayer {
public:
    // Throws InvalidArgument for parameters that cannot be.
    CachedLayer(const ConvTranspose3dOptions &options, int spatial);

    // Keeps the layer. It takes the place of those that have not been used for the longest time, if there are too many,
    // or if their weights are too large together.
    ~CachedLayer();

    CachedLayer(const CachedLayer &) = delete;
    CachedLayer &operator=(const CachedLayer &) = delete;

    Layer &operator*() const {
        return *kept_.front().layer;
    }
    Layer *operator->() const {
        return kept_.front().layer.get();
    }

private:
    friend class LayerCache;

    using Key = std::array<int64_t, 20>;

    struct Kept {
        Key key;
        int64_t weights;
        std::unique_ptr<Layer> layer;
    };

    std::list<Kept> kept_;  // one layer, as the cache's list takes it without an allocation
};

}  // namespace unstride::python

#endif
