#include "machine.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <new>
#include <numeric>
#include <thread>
#include <vector>

#include "unstride/machine.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace unstride::bench {

namespace {

using Clock = std::chrono::steady_clock;

// Returns the wall time from the first thread's start to the last one's end. All threads start together.
double seconds_in_threads(int count, const std::function<void(int)> &work) {
    std::atomic<int> missing{count};
    std::vector<Clock::time_point> starts(count), ends(count);
    std::vector<std::thread> threads;
    threads.reserve(count);
    for (int i = 0; i < count; i++) {
        threads.emplace_back([&, i] {
            missing--;
            while (missing > 0) {
                std::this_thread::yield();
            }
            starts[i] = Clock::now();
            work(i);
            ends[i] = Clock::now();
        });
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
    const auto span = *std::max_element(ends.begin(), ends.end()) - *std::min_element(starts.begin(), starts.end());
    return std::chrono::duration<double>(span).count();
}

// So many chains of dependent multiply-adds hide a latency of 5 cycles on two units.
constexpr int chains = 12;
constexpr int most_lanes = 16;

// The same loop is written for three lengths of vectors. It is no template, as the target attribute that the vectors
// need cannot depend on a parameter. `state`, which has chains x lanes numbers and is aligned to 64 bytes, is read
// before the loop and written after it, so that the compiler can leave no chain out.
using Vector128 = float __attribute__((vector_size(16), may_alias));

void multiply_add_128(int64_t rounds, float *state) {
    auto *memory = reinterpret_cast<Vector128 *>(state);
    Vector128 sums[chains], factor = Vector128{} + 0.5f, term = Vector128{} + 1.0f;
    std::copy(memory, memory + chains, sums);
    for (int64_t i = 0; i < rounds; i++) {
#pragma GCC unroll 12
        for (Vector128 &sum : sums) {
            sum = sum * factor + term;
        }
    }
    std::copy(sums, sums + chains, memory);
}

#if defined(__x86_64__)

using Vector256 = float __attribute__((vector_size(32), may_alias));

__attribute__((target("avx2,fma"))) void multiply_add_256(int64_t rounds, float *state) {
    auto *memory = reinterpret_cast<Vector256 *>(state);
    Vector256 sums[chains], factor = Vector256{} + 0.5f, term = Vector256{} + 1.0f;
    std::copy(memory, memory + chains, sums);
    for (int64_t i = 0; i < rounds; i++) {
#pragma GCC unroll 12
        for (Vector256 &sum : sums) {
            sum = sum * factor + term;
        }
    }
    std::copy(sums, sums + chains, memory);
}

using Vector512 = float __attribute__((vector_size(64), may_alias));

__attribute__((target("avx512f"))) void multiply_add_512(int64_t rounds, float *state) {
    auto *memory = reinterpret_cast<Vector512 *>(state);
    Vector512 sums[chains], factor = Vector512{} + 0.5f, term = Vector512{} + 1.0f;
    std::copy(memory, memory + chains, sums);
    for (int64_t i = 0; i < rounds; i++) {
#pragma GCC unroll 12
        for (Vector512 &sum : sums) {
            sum = sum * factor + term;
        }
    }
    std::copy(sums, sums + chains, memory);
}

#endif

double measure_peak_gflops(int threads) {
    const int vector_bytes = instruction_set(this_machine().isa).vector_bytes,
              lanes = vector_bytes / static_cast<int>(sizeof(float));
    auto loop = multiply_add_128;
#if defined(__x86_64__)
    if (vector_bytes == 64) {
        loop = multiply_add_512;
    } else if (vector_bytes == 32) {
        loop = multiply_add_256;
    }
#endif
    constexpr int64_t rounds = 2'000'000;
    double best = 0;
    for (int repeat = 0; repeat < 10; repeat++) {
        const double seconds = seconds_in_threads(threads, [loop](int) {
            alignas(64) float state[chains * most_lanes];
            std::iota(std::begin(state), std::end(state), 0.0f);
            loop(rounds, state);
        });
        best = std::max(best, 2e-9 * static_cast<double>(rounds) * chains * lanes * threads / seconds);
    }
    return best;
}

// Computes a = b + 0.5 * c, with stores that go past the caches where the compiler has them: a plain store reads its
// line first, and that traffic does not count as compulsory.
void triad(float *a, const float *b, const float *c, int64_t count) {
#if defined(__x86_64__)
    const __m128 factor = _mm_set1_ps(0.5f);
    for (int64_t i = 0; i < count; i += 4) {
        _mm_stream_ps(a + i, _mm_add_ps(_mm_load_ps(b + i), _mm_mul_ps(factor, _mm_load_ps(c + i))));
    }
    _mm_sfence();
#else
    for (int64_t i = 0; i < count; i++) {
        a[i] = b[i] + 0.5f * c[i];
    }
#endif
}

double measure_bandwidth_gbs(int threads) {
    // The three arrays of 256 MiB are several times as large as the last-level caches of today.
    constexpr int64_t total = int64_t{64} << 20;
    const int64_t count = total / threads / 16 * 16;
    struct Arrays {
        std::unique_ptr<float, decltype(&std::free)> a, b, c;
    };
    std::vector<Arrays> arrays;
    const auto allocate = [&] {
        auto *data = static_cast<float *>(std::aligned_alloc(64, count * sizeof(float)));
        if (data == nullptr) {
            throw std::bad_alloc();
        }
        return std::unique_ptr<float, decltype(&std::free)>(data, &std::free);
    };
    arrays.reserve(threads);
    for (int i = 0; i < threads; i++) {
        arrays.push_back({allocate(), allocate(), allocate()});
    }
    // The thread that uses memory touches it first, so that it lies near its processor.
    seconds_in_threads(threads, [&](int i) {
        for (float *data : {arrays[i].a.get(), arrays[i].b.get(), arrays[i].c.get()}) {
            std::fill_n(data, count, 1.0f);
        }
    });
    double best = 0;
    for (int repeat = 0; repeat < 5; repeat++) {
        const double seconds = seconds_in_threads(
            threads, [&](int i) { triad(arrays[i].a.get(), arrays[i].b.get(), arrays[i].c.get(), count); });
        best = std::max(best, 1e-9 * 3 * sizeof(float) * static_cast<double>(count) * threads / seconds);
    }
    return best;
}

std::string cpu_name() {
    std::ifstream info("/proc/cpuinfo");
    for (std::string line; std::getline(info, line);) {
        if (line.rfind("model name", 0) == 0) {
            return line.substr(std::min(line.find(": "), line.size() - 2) + 2);
        }
    }
    return "unknown";
}

}  // namespace

Machine measure_machine(int threads) {
    return {cpu_name(), threads, measure_peak_gflops(threads), measure_bandwidth_gbs(threads)};
}

double measure_clock_ghz() {
    constexpr int64_t rounds = 5'000'000;
    constexpr int additions = 8;
    double best = 0;
    for (int repeat = 0; repeat < 10; repeat++) {
        const double seconds = seconds_in_threads(1, [](int) {
            int64_t sum = 0;
            for (int64_t i = 0; i < rounds; i++) {
#pragma GCC unroll 8
                for (int j = 0; j < additions; j++) {
                    sum += i;
                    asm volatile("" : "+r"(sum));  // keeps the compiler from adding them up itself
                }
            }
        });
        best = std::max(best, 1e-9 * static_cast<double>(rounds) * additions / seconds);
    }
    return best;
}

Machine describe_machine(Device device) {
    const DeviceInfo info = device_info(device);
    return {info.name, info.processors, info.peak_flops * 1e-9, info.peak_bytes * 1e-9};
}

}  // namespace unstride::bench
