#include "process/lasting.h"

#include <cxxabi.h>

namespace unstride {
namespace {

Mutex mutex;
AtUnload *first = nullptr;  // guarded by the mutex
std::atomic<bool> process_ends{false};
char end_of_process;  // its address is the key by which the handler below is found and removed

// Registers a handler of exit(), which tells the end of the process from the unloading of the library: at the end,
// handlers run before the destructors of loaded libraries. Unloading runs the library's own handlers, too, but not this
// one, as it is registered with another key than the library's.
[[gnu::constructor]] void watch_end() {
    abi::__cxa_atexit([](void *) { process_ends = true; }, nullptr, &end_of_process);
}

// Destroys what lasts until the library is unloaded. This runs after the destructors of all static objects of the
// library, as none of them has a lower priority.
[[gnu::destructor(101)]] void unload() {
    if (process_ends) {
        return;
    }
    abi::__cxa_finalize(&end_of_process);  // removes the handler, whose code is about to be unloaded
    for (AtUnload *entry = first; entry != nullptr; entry = entry->next) {
        entry->destroy(entry->object);
    }
}

}  // namespace

void destroy_at_unload(AtUnload &entry) {
    const Lock lock(mutex);
    entry.next = first;
    first = &entry;
}

}  // namespace unstride
