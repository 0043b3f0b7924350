#include "layer_cache.h"

#include <torch/csrc/stable/ops.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <tuple>

namespace unstride::torch_ops {
namespace {

// A network has some ten layers, and networks of the same layers, or one whose weights are computed anew for each call,
// have some at different addresses.
constexpr size_t most_layers = 128, most_of_a_geometry = 8;

int64_t bytes_of(const Described &tensor) {
    constexpr int bits_in_byte = 8;
    const int bits = (tensor.dtype >> bits_in_byte) & 0xff;
    return tensor.elements() * bits / bits_in_byte;
}

// Calls use(first byte, bytes) for chunks of memory, in all threads if it is long: threads read several times what one
// does.
template<typename Use>
void in_chunks(int64_t size, const Use &use) {
    constexpr int64_t chunk = 1 << 18;
    if (size <= chunk) {
        use(0, static_cast<size_t>(size));
        return;
    }
    torch::stable::parallel_for(0, (size + chunk - 1) / chunk, 2, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i++) {
            use(i * chunk, static_cast<size_t>(std::min(chunk, size - i * chunk)));
        }
    });
}

bool are_equal(const char *a, const char *b, int64_t size) {
    std::atomic<bool> equal{true};
    in_chunks(size, [&](int64_t first, size_t bytes) {
        if (equal && std::memcmp(a + first, b + first, bytes) != 0) {
            equal = false;
        }
    });
    return equal;
}

struct Cache {
    std::mutex mutex;
    std::list<std::shared_ptr<CachedLayer>> layers;  // the last one that was asked for is the first
};

// It is never destroyed, as threads may still run when the process ends.
Cache &cache() {
    static auto *const only = new Cache;
    return *only;
}

}  // namespace

bool Geometry::operator==(const Geometry &other) const {
    const auto all = [](const Geometry &g) {
        const Window &w = g.window;
        return std::tie(g.spatial, g.has_bias, g.dtype, g.in_channels, g.out_channels, g.kernel_size, w.stride,
                        w.padding, w.output_padding, w.dilation, w.groups);
    };
    return all(*this) == all(other);
}

unstride_layer_options Geometry::options() const {
    unstride_layer_options options{};
    options.size = sizeof options;
    options.spatial = spatial;
    options.without_bias = has_bias ? 0 : 1;
    options.zero_weights = 1;
    options.in_channels = in_channels;
    options.out_channels = out_channels;
    options.groups = window.groups;
    for (size_t d = 0; d < static_cast<size_t>(spatial); d++) {
        options.kernel_size[d] = kernel_size[d];
        options.stride[d] = window.stride[d];
        options.padding[d] = window.padding[d];
        options.output_padding[d] = window.output_padding[d];
        options.dilation[d] = window.dilation[d];
    }
    return options;
}

CachedLayer::CachedLayer(const Geometry &its_geometry) : geometry(its_geometry) {
    const unstride_layer_options options = geometry.options();
    check(unstride_layer_create(&options, &layer_));
}

CachedLayer::~CachedLayer() {
    unstride_layer_destroy(layer_);
}

bool CachedLayer::Copy::equals(const Described &tensor) const {
    const int64_t size = bytes_of(tensor);
    return is_set && strides == tensor.strides && static_cast<int64_t>(bytes.size()) == size &&
           (size == 0 || are_equal(bytes.data(), static_cast<const char *>(tensor.tensor.const_data_ptr()), size));
}

void CachedLayer::Copy::take(const Described &tensor) {
    is_set = false;
    const auto *const data = static_cast<const char *>(tensor.tensor.const_data_ptr());
    bytes.resize(static_cast<size_t>(bytes_of(tensor)));
    in_chunks(bytes_of(tensor),
              [&](int64_t first, size_t count) { std::memcpy(bytes.data() + first, data + first, count); });
    strides = tensor.strides;
    is_set = true;
}

bool CachedLayer::has(const Described &weight, const Described *bias) const {
    return (bias == nullptr || bias_.equals(*bias)) && weight_.equals(weight);
}

void CachedLayer::take(const Described &weight, const Described *bias) {
    if (bias != nullptr && !bias_.equals(*bias)) {
        const unstride_array array = bias->array();
        bias_.is_set = false;
        check(unstride_layer_set_bias(layer_, &array));
        bias_.take(*bias);
    }
    if (!weight_.equals(weight)) {
        // The copy is what the layer gets: the tensor may change while it is read, and the two must be the same.
        weight_.take(weight);
        unstride_array array = weight.array();
        array.data = weight_.bytes.data();
        weight_.is_set = false;
        check(unstride_layer_set_weight(layer_, &array));
        weight_.is_set = true;
    }
}

Sizes CachedLayer::output_sizes(const Described &input) {
    const std::lock_guard<std::mutex> lock(sizes_mutex_);
    if (last_input_ != input.sizes) {
        const auto rank = static_cast<int32_t>(input.sizes.size());
        Sizes sizes = input.sizes;
        check(unstride_layer_output_shape(layer_, input.sizes.data(), rank, nullptr, 0, sizes.data()));
        last_input_ = input.sizes;
        last_output_ = sizes;
    }
    return last_output_;
}

std::shared_ptr<CachedLayer> cached_layer(const Geometry &geometry, const void *address) {
    auto &[mutex, layers] = cache();
    const std::lock_guard<std::mutex> lock(mutex);
    size_t alike = 0;
    auto last_alike = layers.end();
    for (auto i = layers.begin(); i != layers.end(); ++i) {
        if (!((*i)->geometry == geometry)) {
            continue;
        }
        if ((*i)->address == address) {
            layers.splice(layers.begin(), layers, i);
            return layers.front();
        }
        alike++;
        last_alike = i;
    }
    if (alike >= most_of_a_geometry) {
        layers.splice(layers.begin(), layers, last_alike);
    } else {
        layers.push_front(std::make_shared<CachedLayer>(geometry));
        if (layers.size() > most_layers) {
            layers.pop_back();
        }
    }
    layers.front()->address = address;
    return layers.front();
}

void forget_layers() {
    auto &[mutex, layers] = cache();
    const std::lock_guard<std::mutex> lock(mutex);
    layers.clear();
}

}  // namespace unstride::torch_ops
