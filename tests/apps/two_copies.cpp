// An app that has the library inside, and loads libunstride.so again and again: the two compute the same, side by side
// and in threads, and unloading leaves nothing behind.
//
//     two_copies LIBRARY TIMES

#include <dlfcn.h>
#include <malloc.h>

#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "app.h"
#include "unstride/c.h"

namespace {

using namespace unstride;

constexpr int warm_up = 5;
constexpr size_t most_bytes = 8192;  // that a load may leave behind

const Shape input_shape{2, 8, 4, 9, 12};

// The functions of the shared library that are called here.
struct Shared {
    void *library;
    decltype(&unstride_layer_create) create = find<decltype(create)>("unstride_layer_create");
    decltype(&unstride_layer_destroy) destroy = find<decltype(destroy)>("unstride_layer_destroy");
    decltype(&unstride_layer_forward) forward = find<decltype(forward)>("unstride_layer_forward");
    decltype(&unstride_set_num_threads) set_threads = find<decltype(set_threads)>("unstride_set_num_threads");

    explicit Shared(const char *path) : library(dlopen(path, RTLD_NOW | RTLD_LOCAL)) {
        if (create == nullptr || destroy == nullptr || forward == nullptr || set_threads == nullptr) {
            throw std::runtime_error("the library cannot be loaded");
        }
    }
    ~Shared() {
        dlclose(library);
    }
    Shared(const Shared &) = delete;
    Shared &operator=(const Shared &) = delete;

    template<typename Function>
    Function find(const char *name) const {
        return library == nullptr ? nullptr : reinterpret_cast<Function>(dlsym(library, name));
    }
};

unstride_array array_of(float *data, const Shape &sizes) {
    unstride_array array{};
    array.data = data;
    array.device_type = UNSTRIDE_CPU;
    array.ndim = static_cast<int32_t>(sizes.size());
    array.dtype = UNSTRIDE_F32;
    array.sizes = sizes.data();
    return array;
}

// Whether the shared library computes the same as the one inside, while that computes, too.
bool agree(const Shared &shared, const ConvTranspose3d &inside, const Tensor &input, const Tensor &expected) {
    unstride_layer_options options{};
    options.size = sizeof options;
    options.in_channels = 8;
    options.out_channels = 12;
    for (int d = 0; d < 3; d++) {
        options.kernel_size[d] = 3;
        options.stride[d] = 2;
        options.padding[d] = options.output_padding[d] = options.dilation[d] = 1;
    }
    options.groups = 1;
    unstride_layer *layer = nullptr;
    Tensor output(expected.sizes());
    const unstride_array from = array_of(const_cast<float *>(input.data()), input.sizes()),
                         to = array_of(output.data(), output.sizes());
    bool same_inside = true;
    std::thread other([&] { same_inside = apps::same_bits(inside.forward(input.view()), expected); });
    const bool done = shared.set_threads(3) == UNSTRIDE_OK && shared.create(&options, &layer) == UNSTRIDE_OK &&
                      shared.forward(layer, &from, &to, nullptr, nullptr) == UNSTRIDE_OK;
    other.join();
    shared.destroy(layer);
    return done && same_inside && apps::same_bits(output, expected);
}

// The bytes in use from malloc.
size_t allocated() {
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

int check(const char *path, int times) {
    set_num_threads(3);
    const ConvTranspose3d inside(8, 12, 3, 2, 1, 1);
    const Tensor input = apps::make_input(input_shape), expected = inside.forward(input.view());
    size_t before = 0;
    bool right = true, unloaded = true;
    for (int i = 0; i < times && right; i++) {
        before = i == warm_up ? allocated() : before;
        right = agree(Shared(path), inside, input, expected);
        unloaded = unloaded && dlopen(path, RTLD_NOW | RTLD_NOLOAD) == nullptr;
    }
    const bool kept = times > warm_up && allocated() > before + static_cast<size_t>(times - warm_up) * most_bytes;
    return apps::status(right, "the two libraries differ") + apps::status(unloaded, "the library stays loaded") +
           apps::status(!kept, "loading leaves memory behind");
}

}  // namespace

int main(int argc, char **argv) {
    return apps::run([&] { return argc == 3 ? check(argv[1], std::atoi(argv[2])) : 2; });
}
