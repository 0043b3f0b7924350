#ifndef UNSTRIDE_ERROR_H
#define UNSTRIDE_ERROR_H

#include <stdexcept>

namespace unstride {

// The base of everything that the library throws. Where PyTorch has a message for the same mistake, what() is PyTorch's
// text.
struct Error : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// An argument, shape, stride or pointer is not one that the layer can take. This is thrown before anything is allocated
// or written.
struct InvalidArgument : Error {
    using Error::Error;
};

// The process or the GPU has no memory left for an output, packed weights or a kernel's scratch. The layer stays
// usable.
struct OutOfMemory : Error {
    using Error::Error;
};

// The GPU that was asked for is not there, has no driver, or is one that the app has no kernels for.
struct DeviceError : Error {
    using Error::Error;
};

// A kernel reported a failure of another kind. what() holds the kernel's error code and message.
struct KernelError : Error {
    using Error::Error;
};

}  // namespace unstride

#endif
