#ifndef UNSTRIDE_PYTHON_TORCH_TENSORS_H
#define UNSTRIDE_PYTHON_TORCH_TENSORS_H

#include <torch/csrc/stable/tensor.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "unstride/c.h"

// PyTorch's tensors as the arrays of the C API, and the memory formats that results have.
namespace unstride::torch_ops {

using torch::stable::Tensor;

enum class Format {
    contiguous,
    channels_last,
};

// Throws what has become RuntimeError when it gets to Python.
[[noreturn]] inline void refuse(const std::string &reason) {
    throw std::runtime_error("unstride: " + reason);
}

// Throws the text of a failed call of the C API.
inline void check(unstride_status status) {
    if (status != UNSTRIDE_OK) {
        refuse(unstride_last_error());
    }
}

// As many numbers as a tensor has dimensions, of which there are at most five. They are not in memory of their own,
// whose allocation would take a good part of a small call.
class Sizes {
public:
    static constexpr size_t most = 5;

    Sizes() = default;
    Sizes(std::initializer_list<int64_t> numbers) : Sizes(numbers.begin(), numbers.size()) {
    }
    Sizes(const int64_t *numbers, size_t count) : count_(count) {
        if (count > most) {
            refuse("tensors have at most 5 dimensions");
        }
        std::copy_n(numbers, count, numbers_.begin());
    }
    // Makes `count` numbers that are all alike.
    static Sizes all(size_t count, int64_t number) {
        Sizes sizes;
        sizes.count_ = std::min(count, most);
        sizes.numbers_.fill(number);
        return sizes;
    }

    size_t size() const {
        return count_;
    }
    const int64_t *data() const {
        return numbers_.data();
    }
    int64_t *data() {
        return numbers_.data();
    }
    int64_t operator[](size_t d) const {
        return numbers_[d];
    }
    int64_t &operator[](size_t d) {
        return numbers_[d];
    }
    bool operator==(const Sizes &other) const {
        return count_ == other.count_ && std::equal(data(), data() + count_, other.data());
    }
    bool operator!=(const Sizes &other) const {
        return !(*this == other);
    }

private:
    std::array<int64_t, most> numbers_{};
    size_t count_ = 0;
};

// A tensor's sizes, strides and type, with the tensor itself, whose memory they describe.
struct Described {
    Tensor tensor;
    Sizes sizes, strides;
    unstride_dtype dtype;

    // Throws for tensors that no kernel takes.
    explicit Described(Tensor described);
    Described(Tensor described, const Sizes &its_sizes, const Sizes &its_strides, unstride_dtype its_dtype)
        : tensor(std::move(described)), sizes(its_sizes), strides(its_strides), dtype(its_dtype) {
    }

    unstride_array array() const;
    int64_t elements() const;
    bool is_channels_last() const;
};

// Returns the format that PyTorch gives results of these: channels_last if the strides of one of them are.
Format format_of(const Described &input, const Described &weight);

// Returns strides of a dense tensor.
Sizes strides_of(const Sizes &sizes, Format format);

// Returns the tensor as it is where kernels can read it in this format, else a copy that has the format.
Described readable(const Described &tensor, Format format);

// Returns the tensor as it is if its elements are dense in one of the formats, else a contiguous copy.
Described dense(const Described &tensor);

// Makes a tensor without values on the CPU, of the type of another.
Described empty(const Sizes &sizes, Format format, const Described &like);

}  // namespace unstride::torch_ops

#endif
