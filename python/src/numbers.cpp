#include "numbers.h"

#include <string>

#include "array.h"

namespace nb = nanobind;

namespace unstride::python {

int64_t integer(const char *name, nb::handle object) {
    int overflow = 0;
    if (PyLong_CheckExact(object.ptr())) {
        const int64_t number = PyLong_AsLongLongAndOverflow(object.ptr(), &overflow);
        if (overflow != 0) {
            fail_value(std::string(name) + " does not fit in 64 bits: " + nb::str(object).c_str());
        }
        return number;
    }
    if (PyIndex_Check(object.ptr()) == 0) {
        fail_type(std::string(name) + " must be an integer, not " + nb::type_name(object.type()).c_str());
    }
    return integer(name, nb::steal(PyNumber_Index(object.ptr())));
}

Shape sizes(const char *name, nb::handle object) {
    Shape numbers;
    if (object.is_none()) {
        return numbers;
    }
    if (PySequence_Check(object.ptr()) == 0 || PyUnicode_Check(object.ptr()) != 0) {
        fail_type(std::string(name) + " must be a sequence of integers, not " + nb::type_name(object.type()).c_str());
    }
    for (const nb::handle number : nb::borrow<nb::sequence>(object)) {
        numbers.push_back(integer(name, number));
    }
    return numbers;
}

Triple triple(const char *name, nb::handle object, int spatial, int64_t lacking) {
    Shape numbers;
    if (PyIndex_Check(object.ptr()) != 0) {
        numbers.push_back(integer(name, object));
    } else if (PySequence_Check(object.ptr()) != 0 && PyUnicode_Check(object.ptr()) == 0) {
        numbers = sizes(name, object);
    } else {
        fail_type(std::string(name) + " must be an integer or a sequence of integers, not " +
                  nb::type_name(object.type()).c_str());
    }
    const auto dimensions = static_cast<size_t>(spatial);
    if (numbers.size() != 1 && numbers.size() != dimensions) {
        fail_value(std::string("expected ") + name + " to be a single integer value or a list of " +
                   std::to_string(spatial) + " values to match the convolution dimensions, but got " + name + "=" +
                   text_of(numbers));
    }
    if (numbers.size() == 1) {
        numbers.resize(dimensions, numbers[0]);
    }
    numbers.insert(numbers.begin(), 3 - dimensions, lacking);
    return {numbers[0], numbers[1], numbers[2]};
}

Block block(const char *name, nb::handle object) {
    const std::string needed = std::string(name) + " must be a sequence of slices, one for each dimension of space";
    if (PySequence_Check(object.ptr()) == 0) {
        fail_type(needed + ", not " + nb::type_name(object.type()).c_str());
    }
    Block block;
    for (const nb::handle part : nb::borrow<nb::sequence>(object)) {
        if (!nb::isinstance<nb::slice>(part)) {
            fail_type(needed + ", but one of them is " + nb::type_name(part.type()).c_str());
        }
        Py_ssize_t begin = 0, end = 0, step = 0;
        if (PySlice_Unpack(part.ptr(), &begin, &end, &step) < 0) {
            nb::raise_python_error();
        }
        if (step != 1) {
            fail_value(std::string(name) + " must have slices of step 1, but got " + nb::repr(part).c_str());
        }
        block.begin.push_back(begin);
        block.end.push_back(end);
    }
    return block;
}

nb::tuple slices_of(const Block &block) {
    nb::list slices;
    for (size_t d = 0; d < block.begin.size(); d++) {
        slices.append(nb::slice(block.begin[d], block.end[d]));
    }
    return nb::tuple(slices);
}

nb::tuple tuple_of(const Shape &sizes) {
    nb::list numbers;
    for (const int64_t size : sizes) {
        numbers.append(size);
    }
    return nb::tuple(numbers);
}

nb::tuple tuple_of(const Triple &triple, int spatial) {
    Shape numbers;
    for (int d = 3 - spatial; d < 3; d++) {
        numbers.push_back(triple[d]);
    }
    return tuple_of(numbers);
}

}  // namespace unstride::python
