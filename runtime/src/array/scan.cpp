#include "array/scan.h"

#include <algorithm>
#include <atomic>
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
bool are_up_to(Bits limit, const void *numbers, int64_t count) {
    const auto *from = static_cast<const char *>(numbers);
    constexpr Bits magnitude = std::numeric_limits<Bits>::max() >> 1;
    Bits above = 0;
    for (int64_t i = 0; i < count; i++) {
        Bits bits = 0;
        std::memcpy(&bits, from + i * static_cast<int64_t>(sizeof(bits)), sizeof(bits));
        above |= (bits & magnitude) > limit ? 1 : 0;
    }
    return above == 0;
}

// Returns whether all numbers are at most 2^50 in magnitude. All finite numbers of an f16 are.
bool are_moderate(const void *numbers, DType dtype, int64_t count) {
    switch (dtype) {
    case DType::f32:
        return are_up_to<uint32_t>((127 + 50) << 23, numbers, count);
    case DType::f64:
        return are_up_to<uint64_t>(uint64_t{1023 + 50} << 52, numbers, count);
    case DType::f16:
        return are_up_to<uint16_t>(0x7bff, numbers, count);
    case DType::bf16:
        return are_up_to<uint16_t>((127 + 50) << 7, numbers, count);
    }
    return false;
}

// The elements of an array as runs of neighbouring ones. Loops with strides lead from one run to the next.
struct Runs {
    const char *data;
    DType dtype;
    int64_t length;                                  // elements of a run
    std::vector<std::pair<int64_t, int64_t>> loops;  // size and stride, innermost first
};

Runs runs_of(const Array &array) {
    std::vector<std::pair<int64_t, int64_t>> loops;
    for (size_t d = 0; d < Array::rank; d++) {
        const auto dimension = static_cast<Array::Dimension>(d);
        if (array.extent(dimension) != 1) {
            loops.emplace_back(array.extent(dimension), array.stride(dimension));
        }
    }
    std::sort(loops.begin(), loops.end(), [](const auto &a, const auto &b) { return a.second < b.second; });
    Runs runs{array.data(), array.dtype(), 1, {}};
    for (const auto &[size, stride] : loops) {
        if (runs.loops.empty() && stride == runs.length) {
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
        int64_t offset = first;
        i /= chunks();
        for (const auto &[size, stride] : runs.loops) {
            offset += i % size * stride;
            i /= size;
        }
        if (!are_moderate(runs.data + offset * size_of(runs.dtype), runs.dtype, std::min(chunk, runs.length - first))) {
            moderate = false;
        }
    }
};

}  // namespace

bool are_moderate(const std::vector<float> &numbers) {
    return are_moderate(numbers.data(), DType::f32, static_cast<int64_t>(numbers.size()));
}

bool are_moderate(const Array &array, int threads) {
    Scan scan{runs_of(array)};
    in_threads(static_cast<int>(std::min<int64_t>(threads, scan.turns())), scan);
    return scan.moderate;
}

}  // namespace unstride
