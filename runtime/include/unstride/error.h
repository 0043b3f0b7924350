#ifndef UNSTRIDE_ERROR_H
#define UNSTRIDE_ERROR_H

#include <stdexcept>

namespace unstride {

// Everything that the library throws. Where PyTorch has a message for the same mistake, what() is PyTorch's text.
struct Error : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// An argument, shape, stride or pointer that the layer cannot take. Thrown before anything is allocated or written.
struct InvalidArgument : Error {
    using Error::Error;
};

// Memory for the output, the packed weights or a kernel's scratch could not be had, of the process or of a GPU. The
// layer stays usable.
struct OutOfMemory : Error {
    using Error::Error;
};

// A GPU was asked for that is not there, or has no driver.
struct DeviceError : Error {
    using Error::Error;
};

// A kernel reported a failure of any other kind; what() holds its code and message.
struct KernelError : Error {
    using Error::Error;
};

}  // namespace unstride

#endif
