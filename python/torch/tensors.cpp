#include "tensors.h"

#include <torch/csrc/stable/ops.h>

#include <algorithm>
#include <utility>

namespace unstride::torch_ops {
namespace {

// Dimensions in the order of memory in channels_last, the innermost first.
Sizes channels_last_order(size_t rank) {
    Sizes order{1};
    for (size_t d = rank; d-- > 2;) {
        order.push_back(static_cast<int64_t>(d));
    }
    order.push_back(0);
    return order;
}

unstride_dtype dtype_of(const Tensor &tensor) {
    using torch::headeronly::ScalarType;
    switch (tensor.scalar_type()) {
    case ScalarType::Float:
        return UNSTRIDE_F32;
    case ScalarType::Double:
        return UNSTRIDE_F64;
    case ScalarType::Half:
        return UNSTRIDE_F16;
    case ScalarType::BFloat16:
        return UNSTRIDE_BF16;
    default:
        refuse("tensors must be of type float32, float64, float16 or bfloat16");
    }
}

Described in_format(const Described &tensor, Format format) {
    using torch::headeronly::MemoryFormat;
    const bool is_last = format == Format::channels_last;
    const MemoryFormat last = tensor.sizes.size() == 5 ? MemoryFormat::ChannelsLast3d : MemoryFormat::ChannelsLast;
    return Described(torch::stable::contiguous(tensor.tensor, is_last ? last : MemoryFormat::Contiguous));
}

}  // namespace

Described::Described(Tensor described) : tensor(std::move(described)), dtype(dtype_of(tensor)) {
    if (!tensor.is_cpu()) {
        refuse("all tensors must be on the CPU");
    }
    const auto its_sizes = tensor.sizes(), its_strides = tensor.strides();
    sizes.assign(its_sizes.begin(), its_sizes.end());
    strides.assign(its_strides.begin(), its_strides.end());
}

unstride_array Described::array() const {
    unstride_array array{};
    array.data = elements() == 0 ? nullptr : const_cast<void *>(tensor.const_data_ptr());
    array.device_type = UNSTRIDE_CPU;
    array.ndim = static_cast<int32_t>(sizes.size());
    array.dtype = dtype;
    array.sizes = sizes.data();
    array.strides = strides.data();
    return array;
}

int64_t Described::elements() const {
    return tensor.numel();
}

// The rule is that of PyTorch's is_channels_last_strides: strides must not decrease from the channels, which are
// innermost, through the columns to the batch. Where nothing but the batch tells the formats apart, it is contiguous.
bool Described::is_channels_last() const {
    const size_t rank = sizes.size();
    if ((rank != 4 && rank != 5) || strides[1] == 0) {
        return false;
    }
    int64_t least = 0;
    for (const int64_t dimension : channels_last_order(rank)) {
        const auto d = static_cast<size_t>(dimension);
        if (sizes[d] == 0 || strides[d] < least || (d == 0 && least == strides[1])) {
            return false;
        }
        least = strides[d] * std::max<int64_t>(sizes[d], 1);
    }
    return true;
}

Format format_of(const Described &input, const Described &weight) {
    return input.is_channels_last() || weight.is_channels_last() ? Format::channels_last : Format::contiguous;
}

Sizes strides_of(const Sizes &sizes, Format format) {
    Sizes strides(sizes.size(), 1);
    int64_t stride = 1;
    if (format == Format::channels_last) {
        for (const int64_t d : channels_last_order(sizes.size())) {
            strides[static_cast<size_t>(d)] = stride;
            stride *= sizes[static_cast<size_t>(d)];
        }
        return strides;
    }
    for (size_t d = sizes.size(); d-- > 0;) {
        strides[d] = stride;
        stride *= std::max<int64_t>(sizes[d], 1);
    }
    return strides;
}

Described readable(const Described &tensor, Format format) {
    const size_t innermost = format == Format::channels_last ? 1 : tensor.sizes.size() - 1;
    const bool is_dense = tensor.sizes[innermost] <= 1 || tensor.strides[innermost] == 1;
    return is_dense ? tensor : in_format(tensor, format);
}

Described dense(const Described &tensor) {
    const bool is_dense =
        tensor.strides == strides_of(tensor.sizes, Format::contiguous) ||
        (tensor.is_channels_last() && tensor.strides == strides_of(tensor.sizes, Format::channels_last));
    return is_dense ? tensor : in_format(tensor, Format::contiguous);
}

Tensor empty(const Sizes &sizes, Format format, const Tensor &like) {
    const Sizes strides = strides_of(sizes, format);
    int32_t dtype = 0;
    STABLE_TORCH_ERROR_CODE_CHECK(aoti_torch_get_dtype(like.get(), &dtype));
    AtenTensorHandle made = nullptr;
    STABLE_TORCH_ERROR_CODE_CHECK(aoti_torch_empty_strided(static_cast<int64_t>(sizes.size()), sizes.data(),
                                                           strides.data(), dtype, aoti_torch_device_type_cpu(), 0,
                                                           &made));
    return Tensor(made);
}

}  // namespace unstride::torch_ops
