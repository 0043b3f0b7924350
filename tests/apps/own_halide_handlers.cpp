// An app with Halide pipelines of its own, which sets Halide's handlers before or after the first forward. They are for
// its own pipelines: the library's kernels compute the same without them.
//
//     own_halide_handlers before|after

#include <string>

#include "app.h"

// These are declared as in HalideRuntime.h. An app need not see the runtime that is in the library; then it has no
// handlers to set.
extern "C" {
using halide_task_t = int (*)(void *, int, unsigned char *);
using halide_do_par_for_t = int (*)(void *, halide_task_t, int, int, unsigned char *);
using halide_error_handler_t = void (*)(void *, const char *);
[[gnu::weak]] halide_do_par_for_t halide_set_custom_do_par_for(halide_do_par_for_t);
[[gnu::weak]] halide_error_handler_t halide_set_error_handler(halide_error_handler_t);
[[gnu::weak]] int halide_set_num_threads(int);
}

namespace {

using namespace unstride;

int loops = 0, errors = 0;

int my_loop(void *context, halide_task_t task, int min, int size, unsigned char *closure) {
    loops++;
    for (int i = min; i < min + size; i++) {
        if (const int code = task(context, i, closure)) {
            return code;
        }
    }
    return 0;
}

void my_error(void *, const char *) {
    errors++;
}

void set_handlers() {
    if (halide_set_custom_do_par_for != nullptr) {
        halide_set_custom_do_par_for(my_loop);
        halide_set_error_handler(my_error);
        halide_set_num_threads(2);
    }
}

int check(bool after) {
    if (!after) {
        set_handlers();
    }
    set_num_threads(3);
    const apps::Work rows = apps::shared_by_rows(), items = apps::shared_by_items();
    if (after) {
        set_handlers();
    }
    bool right = true;
    for (const int threads : {1, 3, 4}) {
        set_num_threads(threads);
        right = right && rows.is_right() && items.is_right() && num_threads() == threads;
    }
    ConvTranspose3d plain(8, 8, 2, 2), activated(8, 8, 2, 2);
    activated.set_activation(Activation::gelu());
    const Tensor input = apps::make_input({4, 8, 8, 16, 16});
    const bool differ = !apps::same_bits(plain.forward(input.view()), activated.forward(input.view()));
    return apps::status(right, "the handlers change results") + apps::status(differ, "there is no activation") +
           apps::status(loops == 0 && errors == 0, "a kernel of the library called the app's handlers");
}

}  // namespace

int main(int argc, char **argv) {
    return apps::run([&] { return check(argc == 2 && std::string(argv[1]) == "after"); });
}
