#include "dlpack.h"

#include <string>

namespace nb = nanobind;

namespace unstride::python {
namespace {

struct DLManagedTensor {
    DLTensor dl_tensor;
    void *manager_ctx;
    void (*deleter)(DLManagedTensor *);
};

// A producer may be of a later version. Then nothing behind the version is known.
struct DLManagedTensorVersioned {
    uint32_t major, minor;
    void *manager_ctx;
    void (*deleter)(DLManagedTensorVersioned *);
    uint64_t flags;
    DLTensor dl_tensor;
};

constexpr uint32_t known_version = 1;
constexpr uint64_t flag_read_only = 1;

template<typename Managed>
void release(void *managed) {
    auto *m = static_cast<Managed *>(managed);
    if (m->deleter != nullptr) {
        m->deleter(m);
    }
}

// Asks for the newest version that is known. Producers that are older do not know this argument.
nb::object capsule_of(nb::handle object) {
    const nb::object method = object.attr("__dlpack__");
    try {
        return method(nb::arg("max_version") = nb::make_tuple(known_version, 0));
    } catch (nb::python_error &e) {
        if (!e.matches(PyExc_TypeError)) {
            throw;
        }
    }
    return method();
}

// Takes the array out of its capsule. A capsule of another name no longer frees what is in it.
template<typename Managed>
Managed *taken(nb::handle capsule, const char *name, const char *used_name) {
    auto *managed = static_cast<Managed *>(PyCapsule_GetPointer(capsule.ptr(), name));
    if (managed == nullptr || PyCapsule_SetName(capsule.ptr(), used_name) != 0) {
        nb::raise_python_error();
    }
    return managed;
}

}  // namespace

Imported import_dlpack(const char *name, nb::handle object) {
    const nb::object capsule = capsule_of(object);
    if (PyCapsule_IsValid(capsule.ptr(), "dltensor_versioned") != 0) {
        const auto *seen =
            static_cast<const DLManagedTensorVersioned *>(PyCapsule_GetPointer(capsule.ptr(), "dltensor_versioned"));
        if (seen->major != known_version) {
            throw nb::buffer_error((std::string(name) + " has version " + std::to_string(seen->major) + "." +
                                    std::to_string(seen->minor) + " of DLPack, and version 1 is supported")
                                       .c_str());
        }
        auto *managed = taken<DLManagedTensorVersioned>(capsule, "dltensor_versioned", "used_dltensor_versioned");
        return {&managed->dl_tensor, (managed->flags & flag_read_only) != 0,
                Release(managed, release<DLManagedTensorVersioned>)};
    }
    if (PyCapsule_IsValid(capsule.ptr(), "dltensor") != 0) {
        auto *managed = taken<DLManagedTensor>(capsule, "dltensor", "used_dltensor");
        return {&managed->dl_tensor, false, Release(managed, release<DLManagedTensor>)};
    }
    throw nb::type_error((std::string(name) + ".__dlpack__() must return an unused capsule of a tensor, but returned " +
                          nb::repr(capsule).c_str())
                             .c_str());
}

}  // namespace unstride::python
