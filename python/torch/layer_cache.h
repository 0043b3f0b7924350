#ifndef UNSTRIDE_PYTHON_TORCH_LAYER_CACHE_H
#define UNSTRIDE_PYTHON_TORCH_LAYER_CACHE_H

#include <array>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <vector>

#include "tensors.h"

// Layers stay from call to call, with their weights packed and their plans made. NumPy's functions have a cache of
// their own (python/src/layer_cache.h): there a layer belongs to one call at a time, while threads of PyTorch's run one
// layer at once, and would each pack its weights; and this part of the package has neither Python nor C++'s layers.
namespace unstride::torch_ops {

// A number for each dimension of space, of which the layer may have fewer: the others are 0.
using Triple = std::array<int64_t, 3>;

// The parameters of a layer that its tensors do not tell.
struct Window {
    Triple stride, padding, output_padding, dilation;
    int64_t groups;
};

// All that tells layers apart, but for their parameters.
struct Geometry {
    int32_t spatial;
    bool has_bias;
    unstride_dtype dtype;
    int64_t in_channels, out_channels;
    Triple kernel_size;
    Window window;

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

    // Calls use(layer) when the layer has these parameters. `bias` is null for a layer without one, or for a use that
    // does not read it. Whatever has changed a tensor since the last call, and however: the elements are compared, all
    // of them, as neither addresses nor version counters tell for sure. Any number of threads may call this at once.
    template<typename Use>
    void use_with(const Described &weight, const Described *bias, const Use &use) {
        const Described dense_weight = dense(weight);
        std::optional<Described> dense_bias;
        if (bias != nullptr) {
            dense_bias.emplace(dense(*bias));
            bias = &*dense_bias;
        }
        {
            const std::shared_lock<std::shared_mutex> lock(mutex_);
            if (has(dense_weight, bias)) {
                use(layer_);
                return;
            }
        }
        const std::unique_lock<std::shared_mutex> lock(mutex_);
        take(dense_weight, bias);
        use(layer_);
    }

    // Calls use(layer), which reads no parameters.
    template<typename Use>
    void use_without_parameters(const Use &use) {
        const std::shared_lock<std::shared_mutex> lock(mutex_);
        use(layer_);
    }

    // Returns the sizes of the output for an input. Throws the reason if there is none.
    Sizes output_sizes(const Described &input);

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
    void take(const Described &weight, const Described *bias);

    std::shared_mutex mutex_;
    unstride_layer *layer_ = nullptr;
    Copy weight_, bias_;

    std::mutex sizes_mutex_;
    Sizes last_input_, last_output_;  // sizes of the last call, as the next one most often has them, too
};

// Returns a layer of this geometry: the one that was found for weights at this address before, or another one. The
// process keeps the last layers that were asked for; those that are in use stay until they are not.
std::shared_ptr<CachedLayer> cached_layer(const Geometry &geometry, const void *address);

// Forgets all layers.
void forget_layers();

}  // namespace unstride::torch_ops

#endif
