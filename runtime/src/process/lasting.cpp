#include "process/lasting.h"

#include <cxxabi.h>

namespace unstride {
namespace {

Mutex mutex;
AtUnload *first = nullptr;  // guarded by the mutex
std::atomic<bool> process_ends{false};
char end_of_process;  // what stands for it among the handlers of exit()

// The handlers of exit() run before the destructors of what is loaded, and those of this key not when the library is
// unloaded.
[[gnu::constructor]] void watch_end() {
    abi::__cxa_atexit([](void *) { process_ends = true; }, nullptr, &end_of_process);
}

// Runs after the destructors of all static objects of the library, as nothing has a lower priority.
[[gnu::destructor(101)]] void unload() {
    if (process_ends) {
        return;
    }
    abi::__cxa_finalize(&end_of_process);  // removes the handler
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
