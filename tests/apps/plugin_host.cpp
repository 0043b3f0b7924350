// Loads and unloads a plugin that has the library inside, again and again: each time it has to be right, and to leave
// no memory behind.
//
//     plugin_host PLUGIN TIMES

#include <dlfcn.h>
#include <malloc.h>

#include <cstdlib>
#include <iostream>

namespace {

constexpr int warm_up = 5;
constexpr size_t most_bytes = 8192;  // that a load may leave behind

int status_of(const char *plugin) {
    void *library = dlopen(plugin, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
        std::cerr << dlerror() << std::endl;
        return 2;
    }
    const auto plugin_status = reinterpret_cast<int (*)()>(dlsym(library, "plugin_status"));
    const int status = plugin_status != nullptr ? plugin_status() : 2;
    return dlclose(library) == 0 ? status : 2;
}

// The bytes in use from malloc.
size_t allocated() {
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

}  // namespace

int main(int argc, char **argv) {
    if (argc != 3) {
        std::cerr << "usage: plugin_host PLUGIN TIMES" << std::endl;
        return 2;
    }
    size_t before = 0;
    const int times = std::atoi(argv[2]);
    for (int i = 0; i < times; i++) {
        if (i == warm_up) {
            before = allocated();
        }
        if (const int status = status_of(argv[1])) {
            return status;
        }
    }
    const size_t after = allocated();
    if (times > warm_up && after > before + static_cast<size_t>(times - warm_up) * most_bytes) {
        std::cerr << times - warm_up << " loads leave " << after - before << " bytes behind" << std::endl;
        return 1;
    }
    return 0;
}
