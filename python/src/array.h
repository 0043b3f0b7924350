#ifndef UNSTRIDE_PYTHON_ARRAY_H
#define UNSTRIDE_PYTHON_ARRAY_H

#include <nanobind/nanobind.h>
#include <unstride/unstride.h>

#include <string>

#include "dlpack.h"

namespace unstride::python {

// Python's errors of arguments, with a text of any length.
[[noreturn]] void fail_type(const std::string &message);
[[noreturn]] void fail_value(const std::string &message);

// Returns the name that NumPy and PyTorch have for a type, such as "float32".
const char *name_of(DType dtype);

// Returns sizes as PyTorch prints them in messages, such as [1, 16, 10, 50, 100].
std::string text_of(const Shape &sizes);

enum class Access { read, write };

// An array that the caller passes: NumPy's, any other that has __dlpack__, or a buffer. Its memory is used in place,
// and stays valid as long as this object lives, which has to end with the GIL held.
class Argument {
public:
    // Throws TypeError for an object that is no array, for one whose elements have a type that is not supported or are
    // not in the processor's order of bytes, and ValueError for an array in another memory than the processor's, and
    // for one that is to be written and is read-only. Messages call the array `name`.
    Argument(const char *name, nanobind::handle object, Access access = Access::read);
    ~Argument();
    Argument(const Argument &) = delete;
    Argument &operator=(const Argument &) = delete;

    const char *name() const {
        return name_;
    }
    nanobind::handle object() const {
        return object_;
    }
    bool has_dlpack() const {
        return imported_ != nullptr;
    }
    bool is_numpy() const {
        return is_numpy_;
    }
    const void *data() const {
        return data_;
    }
    DType dtype() const {
        return dtype_;
    }
    const Shape &sizes() const {
        return sizes_;
    }

    // Strides in bytes, which may be negative, 0, and no multiple of an element's size.
    const Shape &byte_strides() const {
        return byte_strides_;
    }

    // Whether all elements are aligned, and no stride along which there are some is a fraction of one.
    bool is_regular() const;

    // Returns a view of the array. Strides that are no multiple of an element's size are rounded: see is_regular.
    View<const void> view() const {
        return {data_, dtype_, sizes_, strides()};
    }
    View<void> writable_view() const {
        return {data_, dtype_, sizes_, strides()};
    }

private:
    bool take_numpy();
    void take_buffer();
    void take_dlpack();
    void get_buffer(nanobind::handle object);
    void see_buffer();
    Shape strides() const;

    const char *name_;
    nanobind::handle object_;
    bool is_numpy_ = false, read_only_ = false, has_buffer_ = false;
    void *data_ = nullptr;
    DType dtype_ = DType::f32;
    Shape sizes_, byte_strides_;
    Py_buffer buffer_{};
    Release imported_{nullptr, nullptr};
};

// Copies an array to memory with these strides, in elements.
void copy(const Argument &from, void *to, const Shape &strides);

}  // namespace unstride::python

#endif
