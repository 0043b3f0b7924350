#ifndef UNSTRIDE_PYTHON_TORCH_TENSORS_H
#define UNSTRIDE_PYTHON_TORCH_TENSORS_H

#include <torch/csrc/stable/tensor.h>

#include <array>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "unstride/c.h"

// PyTorch's tensors as the arrays of the C API, and the memory formats that results have.
namespace unstride::torch_ops {

using torch::stable::Tensor;
using Sizes = std::vector<int64_t>;

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

// A tensor's sizes, strides and type, with the tensor itself, whose memory they describe.
struct Described {
    Tensor tensor;
    Sizes sizes, strides;
    unstride_dtype dtype;

    explicit Described(Tensor described);

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
Tensor empty(const Sizes &sizes, Format format, const Tensor &like);

}  // namespace unstride::torch_ops

#endif
