#ifndef UNSTRIDE_RUNTIME_PROCESS_LASTING_H
#define UNSTRIDE_RUNTIME_PROCESS_LASTING_H

#include <atomic>
#include <new>

#include "process/mutex.h"

namespace unstride {

// An object to destroy when the library is unloaded, as a plugin is by dlclose(), but not when the process ends, as
// threads that still run then and destructors of static objects may use it until the very end.
struct AtUnload {
    void (*destroy)(void *) = nullptr;
    void *object = nullptr;
    AtUnload *next = nullptr;
};
void destroy_at_unload(AtUnload &entry);

// A value that `make` returns when it is first asked for, which may be before main, and that is destroyed when the
// library is unloaded, as AtUnload says. A Lasting must be a static object, as it holds the memory of the value.
template<auto make>
class Lasting {
public:
    using Value = decltype(make());

    Value &get() {
        Value *made = made_.load(std::memory_order_acquire);
        return made != nullptr ? *made : get_first();
    }

    // Returns null if nobody has asked for the value yet.
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

// Lasting<constructed<Value>> makes its value with the constructor without arguments.
template<typename Value>
Value constructed() {
    return Value();
}

}  // namespace unstride

#endif
