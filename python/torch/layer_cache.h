#ifndef UNSTRIDE_PYTHON_TORCH_LAYER_CACHE_H
#define UNSTRIDE_PYTHON_TORCH_LAYER_CACHE_H

#include <array>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <vector>

#include "tensors.h"

// Layers stay from call to call, with their weights packed and their plans made.
namespace unstride::torch_ops {

// All that tells layers apart, but for their parameters.
struct Geometry {
    int32_t spatial;
    bool has_bias;
    unstride_dtype dtype;
    int64_t in_channels, out_channels, groups;
    std::array<int64_t, 3> kernel_size, stride, padding, output_padding, dilation;

    bool operator==(const Geometry &other) const;
    unstride_layer_options options() const;
};

// A layer, and a copy of the parameters that it has.
class CachedLayer {
public:
    explicit CachedLayer(const Geometry &geometry);
    ~CachedLayer();
    CachedLayer(const CachedLayer &) = delete;
    CachedLayer &operator=(const CachedLayer &) = delete;

    using Use = std::function<void(const unstride_layer *)>;

    // Calls use(layer) when the layer has these parameters. `bias` is null for a layer without one, or for a use that
    // does not read it. Whatever has changed a tensor since the last call, and however: the elements are compared, all
    // of them, as neither addresses nor version counters tell for sure. Any number of threads may call this at once.
    void use_with(const Described &weight, const Described *bias, const Use &use);

    // Calls use(layer), which reads no parameters.
    void use_without_parameters(const Use &use);

    const Geometry geometry;
    const void *address = nullptr;  // where the weights were that the cache last found the layer for

private:
    // One parameter as the layer has it.
    struct Copy {
        std::vector<char> bytes;
        Sizes strides;
        bool is_set = false;

        bool equals(const Described &tensor) const;
        void take(const Described &tensor);
    };

    bool has(const Described &weight, const Described *bias) const;

    std::shared_mutex mutex_;
    unstride_layer *layer_ = nullptr;
    Copy weight_, bias_;
};

// Returns a layer of this geometry: the one that was found for weights at this address before, or another one. The
// process keeps the last layers that were asked for; those that are in use stay until they are not.
std::shared_ptr<CachedLayer> cached_layer(const Geometry &geometry, const void *address);

// Forgets all layers.
void forget_layers();

}  // namespace unstride::torch_ops

#endif
