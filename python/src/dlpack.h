#ifndef UNSTRIDE_PYTHON_DLPACK_H
#define UNSTRIDE_PYTHON_DLPACK_H

#include <nanobind/nanobind.h>

#include <cstdint>
#include <memory>

namespace unstride::python {

// The part of DLPack, https://dmlc.github.io/dlpack, that a consumer needs, under the specification's names.

struct DLDevice {
    int32_t device_type, device_id;
};

struct DLDataType {
    uint8_t code, bits;
    uint16_t lanes;
};

struct DLTensor {
    void *data;
    DLDevice device;
    int32_t ndim;
    DLDataType dtype;
    int64_t *shape;
    int64_t *strides;  // in elements; null for a dense array
    uint64_t byte_offset;
};

// Frees what a producer keeps for its consumer. The GIL is held.
using Release = std::unique_ptr<void, void (*)(void *)>;

// An array that a producer handed over, and the consumer's duty to release it.
struct Imported {
    const DLTensor *tensor;
    bool read_only;
    Release owner;
};

// Calls object.__dlpack__() and takes over what it returns. Throws TypeError if that is no capsule of an array,
// BufferError for a version of DLPack other than 1 and those before it, and whatever the object itself throws. Messages
// call the array `name`.
Imported import_dlpack(const char *name, nanobind::handle object);

}  // namespace unstride::python

#endif
