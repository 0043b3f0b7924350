#ifndef UNSTRIDE_RUNTIME_PROCESS_LASTING_H
#define UNSTRIDE_RUNTIME_PROCESS_LASTING_H

#include <atomic>
#include <new>

#include "process/mutex.h"

namespace unstride {

// Something to destroy when the library is unloaded, as a plugin is by dlclose(), and not when the process ends: until
// then threads that still run and the destructors of static objects may use it.
struct AtUnload {
    void (*destroy)(void *) = nullptr;
    void *object = nullptr;
    AtUnload *next = nullptr;
};
void destroy_at_unload(AtUnload &entry);

// A value that `make` returns when it is first asked for, which may be before main, and that lasts as AtUnload says. It
// has to be static: the memory for it is that of the library.
template<auto make>
class Lasting {
public:
    using Value = decltype(make());

    Value &get() {
        Value *made = made_.load(std::memory_order_acquire);
        return made != nullptr ? *made : get_first();
    }

    // Null if nobody has asked for it.
    Value *get_if_made() {
        return made_.load(std::memory_order_acquire);
    }

private:
    Value &get_first() {
        const Lock lock(mutex_);
        if (made_ == nullptr) {
            made_ = new (storage_) Value(make());
            at_unload_ = {[](void *value) { static_cast<Value *>(value)->~Value(); }, made_, nullptr};
            destroy_at_unload(at_unload_);
        }
        return *made_;
    }

    std::atomic<Value *> made_{nullptr};
    Mutex mutex_;
    AtUnload at_unload_;
    alignas(Value) unsigned char storage_[sizeof(Value)] = {};
};

// The same made by a constructor without arguments.
template<typename Value>
Value constructed() {
    return Value();
}

}  // namespace unstride

#endif
