#ifndef UNSTRIDE_RUNTIME_KERNELS_NUMBERS_H
#define UNSTRIDE_RUNTIME_KERNELS_NUMBERS_H

#include <cstddef>
#include <type_traits>
#include <vector>

namespace unstride {

// The weights or the bias of a layer. Kernels whose sums are f32 take them as floats. If they were given as doubles,
// these are kept as well for kernels whose sums are f64.
class Numbers {
public:
    // Takes a copy of `count` numbers.
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

    // Returns the floats, which the caller may write to. Doubles are dropped, as they would no longer be the same
    // numbers. The memory stays where it is, so that new weights of the same size need no allocation.
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

    // Returns the numbers in the type T, float or double.
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
