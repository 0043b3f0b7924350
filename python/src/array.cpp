#include "array.h"

#include <cstring>
#include <type_traits>
#include <utility>

#include "numpy.h"

namespace nb = nanobind;

namespace unstride::python {
namespace {

// The codes of DLPack for the types that are supported.
constexpr uint8_t dlpack_float = 2, dlpack_bfloat = 4;

// The devices of DLPack whose memory the processor reads: its own, and that which CUDA has pinned.
constexpr int32_t dlpack_cpu = 1, dlpack_cuda_host = 3;

constexpr int most_dimensions = 64;

const char *const supported = "float32, float64, float16 and bfloat16 are supported";

// Returns the type of a buffer's elements. A format is as in Python's module `struct`.
DType dtype_of_format(const char *name, const char *format) {
    const char *type = format;
    constexpr const char *native = "@=<";  // this is for processors whose lowest byte is first
    if (*type != '\0' && std::strchr(native, *type) != nullptr) {
        type++;
    }
    const std::string text = type;
    if (text == "f") {
        return DType::f32;
    }
    if (text == "d") {
        return DType::f64;
    }
    if (text == "e") {
        return DType::f16;
    }
    fail_type(std::string(name) + " has elements of format '" + format + "': " + supported +
              ", in the processor's order of bytes");
}

DType dtype_of_dlpack(const char *name, const DLDataType &type) {
    if (type.lanes == 1 && type.code == dlpack_float && type.bits == 32) {
        return DType::f32;
    }
    if (type.lanes == 1 && type.code == dlpack_float && type.bits == 64) {
        return DType::f64;
    }
    if (type.lanes == 1 && type.code == dlpack_float && type.bits == 16) {
        return DType::f16;
    }
    if (type.lanes == 1 && type.code == dlpack_bfloat && type.bits == 16) {
        return DType::bf16;
    }
    fail_type(std::string(name) + " has elements of DLPack's type " + std::to_string(type.code) + " with " +
              std::to_string(type.bits) + " bits and " + std::to_string(type.lanes) + " lanes: " + supported);
}

// Copies the elements along dimensions d and after it.
template<size_t size>
void copy_from(size_t d, const Shape &sizes, const char *from, const Shape &from_strides, char *to,
               const Shape &to_strides) {
    if (d == sizes.size()) {
        std::memcpy(to, from, size);
        return;
    }
    for (int64_t i = 0; i < sizes[d]; i++) {
        copy_from<size>(d + 1, sizes, from, from_strides, to, to_strides);
        from += from_strides[d];
        to += to_strides[d];
    }
}

}  // namespace

void fail_type(const std::string &message) {
    throw nb::type_error(message.c_str());
}

void fail_value(const std::string &message) {
    throw nb::value_error(message.c_str());
}

const char *name_of(DType dtype) {
    switch (dtype) {
    case DType::f32:
        return "float32";
    case DType::f64:
        return "float64";
    case DType::f16:
        return "float16";
    case DType::bf16:
        return "bfloat16";
    }
    return "";
}

std::string text_of(const Shape &sizes) {
    std::string text = "[";
    for (size_t d = 0; d < sizes.size(); d++) {
        text += (d == 0 ? "" : ", ") + std::to_string(sizes[d]);
    }
    return text + "]";
}

Argument::Argument(const char *name, nb::handle object, Access access) : name_(name), object_(object) {
    try {
        is_numpy_ = take_numpy();
        if (!is_numpy_) {
            if (PyObject_HasAttrString(object.ptr(), "__dlpack__") != 0) {
                take_dlpack();
            } else if (PyObject_CheckBuffer(object.ptr()) != 0) {
                take_buffer();
            } else {
                fail_type(std::string(name) + " must be an array, NumPy's or another one that has __dlpack__, not " +
                          nb::type_name(object.type()).c_str());
            }
        }
        if (access == Access::write && read_only_) {
            fail_value(std::string(name) + " is read-only");
        }
    } catch (...) {
        if (has_buffer_) {
            PyBuffer_Release(&buffer_);
        }
        throw;
    }
}

Argument::~Argument() {
    if (has_buffer_) {
        PyBuffer_Release(&buffer_);
    }
}

bool Argument::take_numpy() {
    if (!is_numpy_array(object_)) {
        return false;
    }
    if (PyObject_GetBuffer(object_.ptr(), &buffer_, PyBUF_RECORDS_RO) == 0) {
        has_buffer_ = true;
        dtype_ = dtype_of_format(name_, buffer_.format);
    } else {
        // NumPy has no buffers of types that are not its own, such as bfloat16 of ml_dtypes.
        PyErr_Clear();
        const nb::object dtype = object_.attr("dtype");
        if (!nb::object(dtype.attr("name")).equal(nb::str("bfloat16"))) {
            fail_type(std::string(name_) + " has elements of type " + nb::str(dtype).c_str() + ": " + supported);
        }
        const nb::object bits = object_.attr("view")("uint16");
        get_buffer(bits);
        dtype_ = DType::bf16;
    }
    see_buffer();
    return true;
}

void Argument::take_buffer() {
    get_buffer(object_);
    dtype_ = dtype_of_format(name_, buffer_.format);
    see_buffer();
}

void Argument::get_buffer(nb::handle object) {
    if (PyObject_GetBuffer(object.ptr(), &buffer_, PyBUF_RECORDS_RO) != 0) {
        nb::raise_python_error();
    }
    has_buffer_ = true;
}

void Argument::see_buffer() {
    read_only_ = buffer_.readonly != 0;
    data_ = buffer_.buf;
    sizes_.assign(buffer_.shape, buffer_.shape + buffer_.ndim);
    byte_strides_.assign(buffer_.strides, buffer_.strides + buffer_.ndim);
}

void Argument::take_dlpack() {
    Imported imported = import_dlpack(name_, object_);
    const DLTensor &tensor = *imported.tensor;
    const auto [device, device_id] = tensor.device;
    if (device != dlpack_cpu && device != dlpack_cuda_host) {
        fail_value(std::string(name_) + " must be in the memory of the CPU, but is on DLPack's device " +
                   std::to_string(device) + ":" + std::to_string(device_id));
    }
    dtype_ = dtype_of_dlpack(name_, tensor.dtype);
    if (tensor.ndim < 0 || tensor.ndim > most_dimensions || (tensor.ndim > 0 && tensor.shape == nullptr)) {
        fail_value(std::string(name_) + " has " + std::to_string(tensor.ndim) + " dimensions");
    }
    sizes_.assign(tensor.shape, tensor.shape + tensor.ndim);
    byte_strides_.resize(sizes_.size());
    int64_t dense = 1;
    for (size_t d = sizes_.size(); d-- > 0;) {
        int64_t stride = tensor.strides != nullptr ? tensor.strides[d] : dense;
        if (sizes_[d] < 0 || __builtin_mul_overflow(dense, sizes_[d], &dense) ||
            __builtin_mul_overflow(stride, size_of(dtype_), &stride)) {
            fail_value(std::string(name_) + " has sizes that cannot be: " + text_of(sizes_));
        }
        byte_strides_[d] = stride;
    }
    read_only_ = imported.read_only;
    data_ = tensor.data != nullptr ? static_cast<char *>(tensor.data) + tensor.byte_offset : nullptr;
    imported_ = std::move(imported.owner);
}

bool Argument::is_regular() const {
    const int64_t size = size_of(dtype_);
    for (size_t d = 0; d < sizes_.size(); d++) {
        if (sizes_[d] > 1 && byte_strides_[d] % size != 0) {
            return false;
        }
    }
    return reinterpret_cast<uintptr_t>(data_) % static_cast<uintptr_t>(size) == 0;
}

Shape Argument::strides() const {
    Shape strides(byte_strides_);
    for (int64_t &stride : strides) {
        stride /= size_of(dtype_);
    }
    return strides;
}

void copy(const Argument &from, void *to, const Shape &strides) {
    const int64_t size = size_of(from.dtype());
    Shape to_strides(strides);
    for (int64_t &stride : to_strides) {
        stride *= size;
    }
    const auto copy_of_size = [&](auto bytes) {
        copy_from<bytes.value>(0, from.sizes(), static_cast<const char *>(from.data()), from.byte_strides(),
                               static_cast<char *>(to), to_strides);
    };
    if (size == 2) {
        copy_of_size(std::integral_constant<size_t, 2>());
    } else if (size == 4) {
        copy_of_size(std::integral_constant<size_t, 4>());
    } else {
        copy_of_size(std::integral_constant<size_t, 8>());
    }
}

}  // namespace unstride::python
