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

// Of numbers with these bits, of which the first one is the sign, none is above `limit`, in magnitude. Infinities and
// NaN are.
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

bool are_moderate(const void *numbers, DType dtype, int64_t count) {
    switch (dtype) {  // up to 2^50, but all that an f16 can be is below it
    case DType::f64:
        return are_up_to<uint64_t>(uint64_t{1023 + 50} << 52, numbers, count);
    case DType::f16:
        return are_up_to<uint16_t>(0x7bff, numbers, count);
    case DType::bf16:
        return are_up_to<uint16_t>((127 + 50) << 7, numbers, count);
    default:
        return are_up_to<uint32_t>((127 + 50) << 23, numbers, count);
    }
}

// Memory in runs of neighbouring elements, some strides apart.
struct Runs {
    const char *data;
    DType dtype;
    int64_t length;
    std::vector<std::pair<int64_t, int64_t>> loops;  // size and stride, innermost first
};

Runs runs_of(const Volume &a, const Geometry &geometry) {
    const auto &[z, y, x] = geometry.extent;
    std::vector<std::pair<int64_t, int64_t>> loops = {{geometry.batch, a.batch},
                                                      {geometry.channels.groups, a.group},
                                                      {geometry.channels.inputs, a.channel},
                                                      {z.input, a.depth},
                                                      {y.input, a.height},
                                                      {x.input, a.width}};
    loops.erase(std::remove_if(loops.begin(), loops.end(), [](const auto &loop) { return loop.first == 1; }),
                loops.end());
    std::sort(loops.begin(), loops.end(), [](const auto &a, const auto &b) { return a.second < b.second; });
    Runs runs{static_cast<const char *>(a.data) + a.offset * size_of(a.dtype), a.dtype, 1, {}};
    for (const auto &[size, stride] : loops) {
        if (runs.loops.empty() && stride == runs.length) {
            runs.length *= size;
        } else {
            runs.loops.emplace_back(size, stride);
        }
    }
    return runs;
}

// A run, or a piece of a long one, is a turn of a loop that threads share.
struct Scan {
    static constexpr int64_t piece = 1 << 16;
    Runs runs;
    std::atomic<int64_t> next{0};
    std::atomic<bool> moderate{true};

    void operator()() {
        for (int64_t all = turns(), i = next++; i < all && moderate; i = next++) {
            turn(i);
        }
    }

    int64_t pieces() const {
        return divide_up(runs.length, piece);
    }
    int64_t turns() const {
        int64_t turns = pieces();
        for (const auto &loop : runs.loops) {
            turns *= loop.first;
        }
        return turns;
    }
    void turn(int64_t i) {
        const int64_t first = i % pieces() * piece;
        int64_t offset = first;
        i /= pieces();
        for (const auto &[size, stride] : runs.loops) {
            offset += i % size * stride;
            i /= size;
        }
        if (!are_moderate(runs.data + offset * size_of(runs.dtype), runs.dtype, std::min(piece, runs.length - first))) {
            moderate = false;
        }
    }
};

}  // namespace

bool are_moderate(const std::vector<float> &numbers) {
    return are_moderate(numbers.data(), DType::f32, static_cast<int64_t>(numbers.size()));
}

bool are_moderate(const Volume &input, const Geometry &geometry, int threads) {
    Scan scan{runs_of(input, geometry)};
    in_threads(static_cast<int>(std::min<int64_t>(threads, scan.turns())), scan);
    return scan.moderate;
}

}  // namespace unstride
