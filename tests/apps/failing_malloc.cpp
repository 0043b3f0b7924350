// The functions of the C library that allocate, in place of its own. `new` and Halide's runtime call these, too.

#include "failing_malloc.h"

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <limits>

extern "C" {
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *memory, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);
void __libc_free(void *memory);
}

namespace {

constexpr int64_t none = std::numeric_limits<int64_t>::max();

std::atomic<int64_t> live{0}, failed{0}, left{none};
std::atomic<bool> all_fail{false};

bool has_to_fail() {
    if (left == none) {
        return false;
    }
    const int64_t now = --left;
    const bool fails = now == 0 || (now < 0 && all_fail);
    failed += fails ? 1 : 0;
    return fails;
}

// Returns what `get` returns, unless this allocation has to fail.
template<typename Get>
void *allocated(const Get &get) {
    void *memory = has_to_fail() ? nullptr : get();
    if (memory == nullptr) {
        errno = ENOMEM;
    }
    live += memory != nullptr ? 1 : 0;
    return memory;
}

}  // namespace

extern "C" {

void *malloc(size_t bytes) {
    return allocated([&] { return __libc_malloc(bytes); });
}

void *calloc(size_t count, size_t bytes) {
    return allocated([&] { return __libc_calloc(count, bytes); });
}

void *realloc(void *memory, size_t bytes) {
    if (memory == nullptr) {
        return malloc(bytes);
    }
    if (has_to_fail()) {
        errno = ENOMEM;
        return nullptr;
    }
    return __libc_realloc(memory, bytes);
}

void *memalign(size_t alignment, size_t bytes) {
    return allocated([&] { return __libc_memalign(alignment, bytes); });
}

void *aligned_alloc(size_t alignment, size_t bytes) {
    return memalign(alignment, bytes);
}

int posix_memalign(void **memory, size_t alignment, size_t bytes) {
    *memory = memalign(alignment, bytes);
    return *memory != nullptr ? 0 : ENOMEM;
}

void free(void *memory) {
    live -= memory != nullptr ? 1 : 0;
    __libc_free(memory);
}
}

namespace unstride::apps {

void let_fail(int64_t n, Fails which) {
    failed = 0;
    all_fail = which == Fails::all;
    left = n;
}

int64_t let_succeed() {
    left = none;
    return failed;
}

int64_t live_blocks() {
    return live;
}

}  // namespace unstride::apps
