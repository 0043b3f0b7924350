#ifndef UNSTRIDE_TOOLS_LAYER_FILES_H
#define UNSTRIDE_TOOLS_LAYER_FILES_H

#include <chrono>
#include <string>

#include "arguments.h"
#include "tools/files/npy.h"
#include "unstride/unstride.h"

namespace unstride::tools {

// What the commands that compute with files share: how an array of a file becomes one of a layer.

// Turns sizes as a file of this layout has them, with the channels last in ndhwc, into sizes as Shape has them;
// to_file_order turns them back. Sizes of a rank that no input has stay as they are.
Shape from_file_order(Shape sizes, Layout layout, int dims);
Shape to_file_order(Shape sizes, Layout layout, int dims);

View<const void> view_of(const NpyArray &array, Layout layout, int dims);

// Completes `layer.options` with the channels and the kernel's size, which the weight's sizes tell. Throws
// InvalidArgument, which names the file, for sizes that no weight has.
void take_weight_shape(LayerArguments &layer, const NpyArray &weight, const std::string &path);

// Returns the types of a call: those that --dtype asks for, if it is there, or else the type of the array that is read
// for both. Throws InvalidArgument, which names the file and calls the array `what`, such as "an input", if --dtype has
// another type for it.
Types choose_types(const CLI::Option &option, const Types &asked, const std::string &what, DType read,
                   const std::string &path);

// Calls `use` with a pointer to the elements in C order, which has their type.
template<typename Use>
void with_values(const NpyArray &array, const Use &use) {
    const NpyArray dense = in_c_order(array);
    with_type(array.dtype,
              [&](auto *null) { use(static_cast<const std::remove_pointer_t<decltype(null)> *>(dense.values.get())); });
}

template<typename Call>
double seconds_of(const Call &call) {
    const auto start = std::chrono::steady_clock::now();
    call();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace unstride::tools

#endif
