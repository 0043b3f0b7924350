#include "tensors.h"

#include <torch/csrc/stable/ops.h>

#include <algorithm>
#include <utility>

#include "channels_last.h"

namespace unstride::torch_ops {
namespace {

// Returns the dimension of a tensor whose place is `place` in the order of memory in channels_last, the innermost
// first.
size_t in_channels_last(size_t place, size_t rank) {
    if (place == 0) {
        return 1;
    }
    return place + 1 == rank ? 0 : rank - place;
}

// The codes of libtorch's types, which it does not promise to keep.
unstride_dtype dtype_of(const Tensor &tensor) {
    static const int32_t f32 = aoti_torch_dtype_float32(), f64 = aoti_torch_dtype_float64(),
                         f16 = aoti_torch_dtype_float16(), bf16 = aoti_torch_dtype_bfloat16();
    int32_t code = 0;
    STABLE_TORCH_ERROR_CODE_CHECK(aoti_torch_get_dtype(tensor.get(), &code));
    if (code == f32) {
        return UNSTRIDE_F32;
    }
    if (code == f64) {
        return UNSTRIDE_F64;
    }
    if (code == f16) {
        return UNSTRIDE_F16;
    }
    if (code == bf16) {
        return UNSTRIDE_BF16;
    }
    refuse("tensors must be of type float32, float64, float16 or bfloat16");
}

void check_cpu(const Tensor &tensor) {
    static const int32_t cpu = aoti_torch_device_type_cpu();
    int32_t type = 0;
    STABLE_TORCH_ERROR_CODE_CHECK(aoti_torch_get_device_type(tensor.get(), &type));
    if (type != cpu) {
        refuse("all tensors must be on the CPU");
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
    check_cpu(tensor);
    const auto its_sizes = tensor.sizes(), its_strides = tensor.strides();
    sizes = Sizes(its_sizes.data(), its_sizes.size());
    strides = Sizes(its_strides.data(), its_strides.size());
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

// Tensors of one dimension of space have no such format.
bool Described::is_channels_last() const {
    const size_t rank = sizes.size();
    return (rank == 4 || rank == 5) && python::is_channels_last(sizes.data(), strides.data(), rank, 1);
}

Format format_of(const Described &input, const Described &weight) {
    return input.is_channels_last() || weight.is_channels_last() ? Format::channels_last : Format::contiguous;
}

Sizes strides_of(const Sizes &sizes, Format format) {
    const size_t rank = sizes.size();
    Sizes strides = Sizes::all(rank, 1);
    int64_t stride = 1;
    for (size_t i = 0; i < rank; i++) {
        const size_t d = format == Format::channels_last ? in_channels_last(i, rank) : rank - 1 - i;
        strides[d] = stride;
        stride *= format == Format::channels_last ? sizes[d] : std::max<int64_t>(sizes[d], 1);
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

Described empty(const Sizes &sizes, Format format, const Described &like) {
    const Sizes strides = strides_of(sizes, format);
    int32_t dtype = 0;
    STABLE_TORCH_ERROR_CODE_CHECK(aoti_torch_get_dtype(like.tensor.get(), &dtype));
    AtenTensorHandle made = nullptr;
    STABLE_TORCH_ERROR_CODE_CHECK(aoti_torch_empty_strided(static_cast<int64_t>(sizes.size()), sizes.data(),
                                                           strides.data(), dtype, aoti_torch_device_type_cpu(), 0,
                                                           &made));
    return {Tensor(made), sizes, strides, like.dtype};
}

}  // namespace unstride::torch_ops
