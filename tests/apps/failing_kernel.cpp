// A kernel that reports an error, in an app whose own Halide pipelines have a handler for theirs: the call throws what
// the kernel reported, the handler hears of the app's errors alone, and other layers go on.

#include <HalideRuntime.h>

#include <string>

#include "app.h"
#include "unstride/register.h"

namespace {

using namespace unstride;

int fail(const void *user_context, halide_buffer_t *, halide_buffer_t *, halide_buffer_t *, halide_buffer_t *, int32_t,
         int32_t, int32_t, int32_t, int32_t, int32_t, int32_t, int32_t, int32_t, int32_t, int32_t, int32_t, int32_t,
         int32_t, int32_t, bool, int32_t, int32_t, int32_t, int32_t, int32_t, halide_buffer_t *) {
    halide_error(const_cast<void *>(user_context), "first line\nsecond line");
    return halide_error_code_generic_error;
}

const ConvTranspose3dOptions failing_layer{3, 5, 2, 2};
const int registered =
    register_layer(failing_layer, {{"failing", "channels", Layout::ncdhw, "baseline", 1, 8, 4, fail}});

std::string heard;

void hear(void * /*user_context*/, const char *message) {
    heard += message;
}

std::string error_of(const ConvTranspose3d &layer, const Tensor &input) {
    try {
        layer.forward(input.view());
    } catch (const KernelError &e) {
        return e.what();
    }
    return "none";
}

int check() {
    halide_set_error_handler(hear);
    ConvTranspose3d layer(failing_layer), other(3, 6, 2, 2);
    const Tensor input = apps::make_input({1, 3, 2, 3, 4});
    layer.set_variant("failing");
    const std::string error = error_of(layer, input);
    halide_set_error_handler(hear);  // an app may do so at any time
    const std::string again = error_of(layer, input);
    halide_error(nullptr, "an error of the app's");
    layer.set_variant("");
    return apps::status(registered == 1 && error == "kernel error -1: first line second line" && again == error,
                        error.c_str()) +
           apps::status(heard == "an error of the app's", heard.c_str()) +
           apps::status(error_of(other, input) == "none", "another layer fails");
}

}  // namespace

int main() {
    return apps::run(check);
}
