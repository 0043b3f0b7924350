#include "c/arrays.h"

#include <string>

#include "c/arguments.h"
#include "c/constants.h"
#include "problem/checked.h"

namespace unstride::c {
namespace {

// Returns whose memory an array is in. DLPack has other numbers for memory of CUDA's that both the CPU and the GPU can
// reach; an app that wants it used there says which of the two it means.
Device memory_of(const NamedArray &named) {
    switch (named.array->device_type) {
    case 0:
    case UNSTRIDE_CPU:
        return Device::cpu;
    case UNSTRIDE_CUDA:
        return Device::cuda;
    default:
        throw InvalidArgument(std::string(named.name) + " has device_type " + std::to_string(named.array->device_type) +
                              ": arrays must be in memory of the process (UNSTRIDE_CPU) or of CUDA (UNSTRIDE_CUDA)");
    }
}

Shape strides_of(const unstride_array &array, const Shape &sizes) {
    if (array.strides != nullptr) {
        return {array.strides, array.strides + sizes.size()};
    }
    Shape strides(sizes.size(), 1);
    for (size_t d = sizes.size(); d-- > 1;) {
        strides[d - 1] = multiply(strides[d], sizes[d]);
    }
    return strides;
}

}  // namespace

View<void> view_of(const NamedArray &named) {
    const unstride_array &array = *check_given(named.name, named.array);
    const DType dtype = dtype_from(named.name, array.dtype);
    Shape sizes = shape_of(named.name, array.sizes, array.ndim), strides = strides_of(array, sizes);
    void *const data = array.data == nullptr ? nullptr : static_cast<char *>(array.data) + array.byte_offset;
    return {data, dtype, std::move(sizes), std::move(strides)};
}

View<void> view_in_process(const NamedArray &named) {
    check_given(named.name, named.array);
    if (memory_of(named) != Device::cpu) {
        throw InvalidArgument(std::string(named.name) + " must be in the process's memory (UNSTRIDE_CPU)");
    }
    return view_of(named);
}

std::optional<CudaStream> stream_of(const unstride_call_options &options, std::initializer_list<NamedArray> arrays) {
    void *const handle = options.cuda_stream;
    const NamedArray *first = nullptr;
    for (const NamedArray &named : arrays) {
        if (named.array == nullptr) {
            continue;
        }
        first = first == nullptr ? &named : first;
        if (memory_of(named) != memory_of(*first)) {
            throw InvalidArgument(std::string(first->name) + " and " + named.name +
                                  " are in memory of different devices: got device_type " +
                                  std::to_string(first->array->device_type) + " and " +
                                  std::to_string(named.array->device_type));
        }
    }
    if (first != nullptr && memory_of(*first) == Device::cuda) {
        return CudaStream{handle};
    }
    if (handle != nullptr) {
        throw InvalidArgument("cuda_stream is for arrays in memory of CUDA (UNSTRIDE_CUDA)");
    }
    return std::nullopt;
}

}  // namespace unstride::c
