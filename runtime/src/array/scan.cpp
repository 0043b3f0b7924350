#include "array/scan.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <utility>

#include "problem/checked.h"
#include "process/thread_pool.h"

namespace unstride {
namespace {

// Returns whether no number is above `limit` in magnitude. Numbers and limit are given by their bits, which without the
// sign are ordered as the magnitudes are. Infinities and NaN are above every limit.
template<typename Bits>
bool are_up_to(Bits limit, const char *numbers, int64_t count, int64_t step) {
    constexpr Bits magnitude = std::numeric_limits<Bits>::max() >> 1;
    const auto look = [&](int64_t apart) {
        Bits above = 0;
        for (int64_t i = 0; i < count; i++) {
            Bits bits = 0;
            std::memcpy(&bits, numbers + i * apart, sizeof(bits));
            above |= (bits & magnitude) > limit ? 1 : 0;
        }
        return above == 0;
    };
    constexpr int64_t dense = sizeof(Bits);
    return step == 1 ? look(dense) : look(step * dense);  // The first loop is compiled with vectors.
}

// Returns whether all numbers, `step` apart, are at most 2^50 in magnitude. All finite numbers of an f16 are.
bool are_moderate(const void *numbers, DType dtype, int64_t count, int64_t step) {
    const auto *const from = static_cast<const char *>(numbers);
    switch (dtype) {
    case DType::f32:
        return are_up_to<uint32_t>((127 + 50) << 23, from, count, step);
    case DType::f64:
        return are_up_to<uint64_t>(uint64_t{1023 + 50} << 52, from, count, step);
    case DType::f16:
        return are_up_to<uint16_t>(0x7bff, from, count, step);
    case DType::bf16:
        return are_up_to<uint16_t>((127 + 50) << 7, from, count, step);
    }
    return false;
}

// The elements of an array as runs of those that are nearest to each other. Loops with strides lead from one run to the
// next.
struct Runs {
    const char *data;
    DType dtype;
    int64_t length, step;                            // elements of a run, and how far apart they are
    std::vector<std::pair<int64_t, int64_t>> loops;  // size and stride, innermost first
};

Runs runs_of(const Array &array) {
    Runs runs{array.data(), array.dtype(), 1, 1, {}};
    std::vector<std::pair<int64_t, int64_t>> loops;
    for (size_t i = 0; i < Array::rank; i++) {
        const auto d = static_cast<Array::Dimension>(i);
        const int64_t extent = array.extent(d), stride = array.stride(d);
        if (extent == 1 || stride == 0) {
            continue;
        }
        if (stride < 0) {
            runs.data += (extent - 1) * stride * size_of(runs.dtype);
        }
        loops.emplace_back(extent, std::abs(stride));
    }
    std::sort(loops.begin(), loops.end(), [](const auto &a, const auto &b) { return a.second < b.second; });
    for (const auto &[size, stride] : loops) {
        if (runs.length == 1) {
            runs.length = size;
            runs.step = stride;
        } else if (runs.loops.empty() && stride == runs.length * runs.step) {
            runs.length *= size;
        } else {
            runs.loops.emplace_back(size, stride);
        }
    }
    return runs;
}

// A loop that threads share, each turn of which looks at one run, or at a chunk of a long one.
struct Scan {
    static constexpr int64_t chunk = 1 << 16;  // elements
    Runs runs;
    std::atomic<int64_t> next{0};
    std::atomic<bool> moderate{true};

    void operator()() {
        for (int64_t all = turns(), i = next++; i < all && moderate; i = next++) {
            turn(i);
        }
    }

    int64_t chunks() const {
        return divide_up(runs.length, chunk);
    }
    int64_t turns() const {
        int64_t turns = chunks();
        for (const auto &loop : runs.loops) {
            turns *= loop.first;
        }
        return turns;
    }
    void turn(int64_t i) {
        const int64_t first = i % chunks() * chunk;
        int64_t offset = first * runs.step;
        i /= chunks();
        for (const auto &[size, stride] : runs.loops) {
            offset += i % size * stride;
            i /= size;
        }
        if (!are_moderate(runs.data + offset * size_of(runs.dtype), runs.dtype, std::min(chunk, runs.length - first),
                          runs.step)) {
            moderate = false;
        }
    }
};

}  // namespace

bool are_moderate(const std::vector<float> &numbers) {
    return are_moderate(numbers.data(), DType::f32, static_cast<int64_t>(numbers.size()), 1);
}

bool are_moderate(const Array &array, int threads) {
    Scan scan{runs_of(array)};
    in_threads(static_cast<int>(std::min<int64_t>(threads, scan.turns())), scan);
    return scan.moderate;
}

}  // namespace unstride
