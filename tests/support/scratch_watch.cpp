#include "support/scratch_watch.h"

#include <HalideRuntime.h>
#include <malloc.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <mutex>
#include <set>
#include <thread>

namespace unstride::tests {

// No thread sees the heap while another counts, so that what is live and what is in use agree; and no kernel runs while
// a test reads.
struct ScratchWatch::Counters {
    std::mutex mutex;  // guards all that follows
    int64_t allocations = 0, live = 0, peak = 0, peak_heap = 0;
    int64_t last_allowed = std::numeric_limits<int64_t>::max();
    std::set<std::thread::id> threads;
    halide_malloc_t previous_malloc = nullptr;
    halide_free_t previous_free = nullptr;
};

namespace {

// Halide asks for this alignment; it is also room enough for the block's size, which is kept before the block.
constexpr size_t alignment = 64;

ScratchWatch::Counters *current = nullptr;

void *counting_malloc(void *, size_t bytes) {
    const std::lock_guard<std::mutex> lock(current->mutex);
    // A task that reads no input asks for nothing, and does not look at what it gets.
    if (bytes > 0 && ++current->allocations > current->last_allowed) {
        return nullptr;
    }
    current->threads.insert(std::this_thread::get_id());
    current->live += static_cast<int64_t>(bytes);
    current->peak = std::max(current->peak, current->live);
    current->peak_heap = std::max(current->peak_heap, heap_bytes());
    const size_t rounded = (bytes + alignment - 1) / alignment * alignment;
    // The memory on both sides of the block is readable, too.
    auto *block = static_cast<char *>(std::aligned_alloc(alignment, rounded + 2 * alignment));
    *reinterpret_cast<size_t *>(block) = bytes;
    return block + alignment;
}

void counting_free(void *, void *pointer) {
    if (pointer != nullptr) {
        const std::lock_guard<std::mutex> lock(current->mutex);
        char *block = static_cast<char *>(pointer) - alignment;
        current->live -= static_cast<int64_t>(*reinterpret_cast<size_t *>(block));
        std::free(block);
    }
}

}  // namespace

ScratchWatch::ScratchWatch() : counters_(std::make_unique<Counters>()) {
    current = counters_.get();
    counters_->previous_malloc = halide_set_custom_malloc(counting_malloc);
    counters_->previous_free = halide_set_custom_free(counting_free);
}

ScratchWatch::~ScratchWatch() {
    halide_set_custom_malloc(counters_->previous_malloc);
    halide_set_custom_free(counters_->previous_free);
    current = nullptr;
}

int64_t ScratchWatch::allocations() const {
    return counters_->allocations;
}

int64_t ScratchWatch::live_bytes() const {
    return counters_->live;
}

int64_t ScratchWatch::peak_bytes() const {
    return counters_->peak;
}

int ScratchWatch::threads() const {
    return static_cast<int>(counters_->threads.size());
}

int64_t ScratchWatch::peak_heap_bytes() const {
    return counters_->peak_heap;
}

void ScratchWatch::fail_after(int64_t count) {
    counters_->last_allowed = counters_->allocations + count;
}

void ScratchWatch::allow_all() {
    counters_->last_allowed = std::numeric_limits<int64_t>::max();
}

int64_t heap_bytes() {
#ifdef __GLIBC__
    const struct mallinfo2 info = mallinfo2();
    return static_cast<int64_t>(info.uordblks + info.hblkhd);
#else
    return 0;
#endif
}

}  // namespace unstride::tests
