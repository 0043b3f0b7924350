#ifndef UNSTRIDE_TESTS_SCRATCH_WATCH_H
#define UNSTRIDE_TESTS_SCRATCH_WATCH_H

#include <cstdint>
#include <memory>

namespace unstride::tests {

// While one exists, it counts what kernels allocate through Halide's hooks, and fails those allocations on demand. Only
// one may exist at a time, and no kernel may be running when it comes and goes.
class ScratchWatch {
public:
    ScratchWatch();
    ~ScratchWatch();
    ScratchWatch(const ScratchWatch &) = delete;
    ScratchWatch &operator=(const ScratchWatch &) = delete;

    int64_t allocations() const;
    int64_t live_bytes() const;
    int64_t peak_bytes() const;

    // How many threads allocated something. Where every task needs scratch, these are the threads that computed.
    int threads() const;

    // The largest heap_bytes() at any allocation by a kernel.
    int64_t peak_heap_bytes() const;

    // Lets all allocations after the next `count` fail.
    void fail_after(int64_t count);
    void allow_all();

    struct Counters;

private:
    std::unique_ptr<Counters> counters_;
};

// Bytes in use from malloc, by whatever part of the process's main thread; 0 where the C library does not tell.
int64_t heap_bytes();

}  // namespace unstride::tests

#endif
