#include "result.h"

#include <nanobind/ndarray.h>

#include <utility>
#include <vector>

#include "numpy.h"

namespace nb = nanobind;

namespace unstride::python {
namespace {

nb::dlpack::dtype dlpack_type(DType dtype) {
    const auto code = dtype == DType::bf16 ? nb::dlpack::dtype_code::Bfloat : nb::dlpack::dtype_code::Float;
    return {static_cast<uint8_t>(code), static_cast<uint8_t>(8 * size_of(dtype)), 1};
}

// Returns the from_dlpack of an array's library, as it or the array API standard names it; None if there is none.
nb::object from_dlpack_of(nb::handle array) {
    if (nb::hasattr(array, "__array_namespace__")) {
        return nb::getattr(array.attr("__array_namespace__")(), "from_dlpack", nb::none());
    }
    const nb::object path = nb::getattr(array.type(), "__module__", nb::str(""));
    const nb::object package = path.attr("partition")(".")[0];
    const nb::object modules = nb::module_::import_("sys").attr("modules");
    return nb::getattr(modules.attr("get")(package), "from_dlpack", nb::none());
}

// Returns an array that has __dlpack__, with memory of its own.
nb::object producer(DType dtype, const Shape &sizes, const Shape &strides, void *&data) {
    int64_t count = 1;
    for (const int64_t size : sizes) {
        count *= size;
    }
    auto memory = std::make_unique<Tensor>(Shape{1, 1, count}, Layout::ncdhw, 1, dtype);
    data = memory->data<void>();
    const nb::capsule owner(memory.get(), [](void *tensor) noexcept { delete static_cast<Tensor *>(tensor); });
    memory.release();
    const std::vector<size_t> shape(sizes.begin(), sizes.end());
    return nb::cast(nb::ndarray<nb::array_api>(data, shape.size(), shape.data(), owner, strides.data(),
                                               dlpack_type(dtype), nb::device::cpu::value));
}

}  // namespace

Result new_array(const Argument &like, const Shape &sizes, const Shape &strides) {
    const DType dtype = like.dtype();
    const nb::object from_dlpack = like.is_numpy() || !like.has_dlpack() ? nb::none() : from_dlpack_of(like.object());
    if (!from_dlpack.is_none()) {
        void *data = nullptr;
        const nb::object made = producer(dtype, sizes, strides, data);
        return {from_dlpack(made), {data, dtype, sizes, strides}};
    }
    const bool has_type = like.is_numpy() && dtype == DType::bf16;
    nb::object array = empty_numpy(sizes, has_type ? nb::object(like.object().attr("dtype")) : numpy_dtype(dtype),
                                   strides, size_of(dtype));
    const Argument seen("the result", array, Access::write);
    return {std::move(array), seen.writable_view()};
}

}  // namespace unstride::python
