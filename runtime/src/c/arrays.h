#ifndef UNSTRIDE_RUNTIME_C_ARRAYS_H
#define UNSTRIDE_RUNTIME_C_ARRAYS_H

#include <initializer_list>
#include <optional>

#include "unstride/c.h"
#include "unstride/conv_transpose.h"

namespace unstride::c {

// A caller's array, under the name that messages have for it.
struct NamedArray {
    const char *name;
    const unstride_array *array;
};

// Returns an array as a view, and checks what a view cannot get wrong. A View<void> converts to one that is only read.
View<void> view_of(const NamedArray &named);

// Returns the stream of a call with these arrays: none if they are in the process's memory. Null arrays do not count.
// Throws InvalidArgument unless all are in one kind of memory, and where a stream is given that no array needs.
std::optional<CudaStream> stream_of(const unstride_call_options &options, std::initializer_list<NamedArray> arrays);

// As view_of, for an array that has to be in the process's memory.
View<void> view_in_process(const NamedArray &named);

}  // namespace unstride::c

#endif
