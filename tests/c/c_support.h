#ifndef UNSTRIDE_TESTS_C_SUPPORT_H
#define UNSTRIDE_TESTS_C_SUPPORT_H

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "support/reference.h"
#include "unstride/c.h"

namespace unstride::tests {

// What a call says: its status and, if it failed, the text of its error.
inline std::string said(unstride_status status) {
    const char *const names[] = {"ok", "invalid argument", "out of memory", "device error", "kernel error", "internal"};
    return std::string(names[status]) + (status == UNSTRIDE_OK ? "" : std::string(": ") + unstride_last_error());
}

// The options of C for those of C++, for a layer of `spatial` dimensions of space.
inline unstride_layer_options options_for(const ConvTranspose3dOptions &o, int spatial = 3) {
    unstride_layer_options options{};
    options.size = sizeof options;
    options.spatial = spatial;
    options.without_bias = o.bias ? 0 : 1;
    options.in_channels = o.in_channels;
    options.out_channels = o.out_channels;
    options.groups = o.groups;
    for (int d = 0; d < spatial; d++) {
        const int from = d + 3 - spatial;
        options.kernel_size[d] = o.kernel_size[from];
        options.stride[d] = o.stride[from];
        options.padding[d] = o.padding[from];
        options.output_padding[d] = o.output_padding[from];
        options.dilation[d] = o.dilation[from];
    }
    return options;
}

using Layer = std::unique_ptr<unstride_layer, void (*)(unstride_layer *)>;

// Returns null if the layer cannot be made.
inline Layer make_layer(const unstride_layer_options &options) {
    unstride_layer *layer = nullptr;
    unstride_layer_create(&options, &layer);
    return {layer, unstride_layer_destroy};
}

// An array with its memory, whose elements are 0 at first. `order` has the dimensions from the outermost to the
// innermost in memory; it is the usual order, with strides that are null, if it is empty.
template<typename T>
struct OwnArray {
    Shape sizes, strides;
    std::vector<T> values;  // in the order of the memory
    unstride_array array{};

    OwnArray(unstride_dtype dtype, Shape all_sizes, const std::vector<size_t> &order = {})
        : sizes(std::move(all_sizes)) {
        int64_t count = 1;
        if (order.empty()) {
            for (int64_t size : sizes) {
                count *= size;
            }
        } else {
            strides.resize(sizes.size());
            for (size_t i = order.size(); i-- > 0;) {
                strides[order[i]] = count;
                count *= sizes[order[i]];
            }
        }
        values.resize(static_cast<size_t>(count));
        array.data = values.data();
        array.device_type = UNSTRIDE_CPU;
        array.ndim = static_cast<int32_t>(sizes.size());
        array.dtype = dtype;
        array.sizes = sizes.data();
        array.strides = order.empty() ? nullptr : strides.data();
    }
    OwnArray(const OwnArray &) = delete;
    OwnArray &operator=(const OwnArray &) = delete;

    // The place in `values` of an element, given by its number in the usual order.
    size_t place(size_t number) const {
        if (strides.empty()) {
            return number;
        }
        int64_t rest = static_cast<int64_t>(number), place = 0;
        for (size_t d = sizes.size(); d-- > 0;) {
            place += rest % sizes[d] * strides[d];
            rest /= sizes[d];
        }
        return static_cast<size_t>(place);
    }

    // Sets and returns all elements in the usual order.
    template<typename U>
    void set(const std::vector<U> &elements) {
        for (size_t i = 0; i < elements.size(); i++) {
            values[place(i)] = static_cast<T>(elements[i]);
        }
    }
    std::vector<double> get() const {
        std::vector<double> elements;
        for (size_t i = 0; i < values.size(); i++) {
            elements.push_back(static_cast<double>(values[place(i)]));
        }
        return elements;
    }
};

// An element of type bf16, exact for small integers.
struct Bf16 {
    uint16_t bits = 0;

    Bf16() = default;
    explicit Bf16(double value) {
        const auto number = static_cast<float>(value);
        uint32_t all = 0;
        std::memcpy(&all, &number, sizeof all);
        bits = static_cast<uint16_t>(all >> 16);
    }
    explicit operator double() const {
        const uint32_t all = uint32_t{bits} << 16;
        float number = 0;
        std::memcpy(&number, &all, sizeof all);
        return static_cast<double>(number);
    }
};

// Integers from -2 to 2, so that all sums are exact.
inline std::vector<double> integers(size_t count, size_t seed) {
    std::vector<double> numbers;
    for (size_t i = 0; i < count; i++) {
        numbers.push_back(static_cast<double>((i + seed) * 2654435761 % 4294967296 / 8192 % 5) - 2);
    }
    return numbers;
}

inline size_t count_of(const Shape &sizes) {
    int64_t count = 1;
    for (int64_t size : sizes) {
        count *= size;
    }
    return static_cast<size_t>(count);
}

}  // namespace unstride::tests

#endif
