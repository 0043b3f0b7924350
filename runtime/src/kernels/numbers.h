#ifndef UNSTRIDE_RUNTIME_KERNELS_NUMBERS_H
#define UNSTRIDE_RUNTIME_KERNELS_NUMBERS_H

#include <cstddef>
#include <type_traits>
#include <vector>

namespace unstride {

// Weights or bias of a layer: floats, and the doubles that they were rounded from, if they were.
class Numbers {
public:
    template<typename T>
    void assign(const T *data, size_t count) {
        doubles_.clear();
        if constexpr (std::is_same_v<T, double>) {
            doubles_.assign(data, data + count);
        }
        floats_.resize(count);
        for (size_t i = 0; i < count; i++) {
            floats_[i] = static_cast<float>(data[i]);
        }
    }

    // In memory that is there already.
    std::vector<float> &floats_to_write() {
        doubles_.clear();
        return floats_;
    }

    const std::vector<float> &floats() const {
        return floats_;
    }
    std::vector<double> doubles() const {
        return doubles_.empty() ? std::vector<double>(floats_.begin(), floats_.end()) : doubles_;
    }

    template<typename T>
    decltype(auto) as() const {
        if constexpr (std::is_same_v<T, double>) {
            return doubles();
        } else {
            return floats();
        }
    }

private:
    std::vector<float> floats_;
    std::vector<double> doubles_;
};

}  // namespace unstride

#endif
