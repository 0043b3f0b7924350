#include "numpy.h"

#include <array>

namespace nb = nanobind;

namespace unstride::python {
namespace {

// References that the process keeps to its end.
struct NumPy {
    PyObject *array_type = nullptr, *empty = nullptr;
    std::array<PyObject *, 3> dtypes{};  // those of f32, f64 and f16
};

NumPy numpy;

nb::tuple tuple_of(const Shape &numbers, int64_t factor = 1) {
    nb::object tuple = nb::steal(PyTuple_New(static_cast<Py_ssize_t>(numbers.size())));
    for (size_t i = 0; i < numbers.size(); i++) {
        // PyTuple_SetItem takes the reference.
        PyTuple_SetItem(tuple.ptr(), static_cast<Py_ssize_t>(i), PyLong_FromLongLong(numbers[i] * factor));
    }
    return nb::borrow<nb::tuple>(tuple);
}

bool is_in_order(const Shape &sizes, const Shape &strides) {
    int64_t dense = 1;
    for (size_t d = sizes.size(); d-- > 0;) {
        if (sizes[d] > 1 && strides[d] != dense) {
            return false;
        }
        dense *= sizes[d];
    }
    return true;
}

}  // namespace

void import_numpy() {
    nb::module_ module = nb::module_::import_("numpy");
    numpy.array_type = nb::object(module.attr("ndarray")).release().ptr();
    numpy.empty = nb::object(module.attr("empty")).release().ptr();
    const nb::object dtype = module.attr("dtype");
    constexpr std::array<const char *, 3> names = {"float32", "float64", "float16"};
    for (size_t i = 0; i < names.size(); i++) {
        numpy.dtypes[i] = dtype(names[i]).release().ptr();
    }
}

bool is_numpy_array(nb::handle object) {
    auto *type = reinterpret_cast<PyTypeObject *>(numpy.array_type);
    return PyObject_TypeCheck(object.ptr(), type) != 0;
}

nb::object numpy_dtype(DType dtype) {
    if (dtype == DType::bf16) {
        return nb::module_::import_("numpy").attr("dtype")(nb::module_::import_("ml_dtypes").attr("bfloat16"));
    }
    return nb::borrow(numpy.dtypes.at(static_cast<size_t>(dtype)));
}

nb::object empty_numpy(const Shape &sizes, nb::handle dtype) {
    return nb::handle(numpy.empty)(tuple_of(sizes), dtype);
}

nb::object empty_numpy(const Shape &sizes, nb::handle dtype, const Shape &strides, int64_t element_size) {
    if (is_in_order(sizes, strides)) {
        return empty_numpy(sizes, dtype);
    }
    return nb::handle(numpy.array_type)(tuple_of(sizes), dtype, nb::none(), 0, tuple_of(strides, element_size));
}

}  // namespace unstride::python
