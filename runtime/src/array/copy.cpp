#include "array/copy.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

#include "problem/checked.h"
#include "process/thread_pool.h"

namespace unstride {
namespace {

// How many elements a dimension has, and how many bytes they are apart in both arrays.
struct Loop {
    int64_t size, from, to;
};

// Copies elements of the size of Bits in turns that threads share. Where the elements that neighbour each other in one
// array do not in the other, a turn copies a tile whose sides are the two dimensions of neighbours: so it uses all of
// each line of a cache that it touches.
template<typename Bits>
class Copy {
public:
    Copy(const char *from, char *to, std::vector<Loop> loops) : from_(from), to_(to) {
        loops.erase(std::remove_if(loops.begin(), loops.end(), [](const Loop &loop) { return loop.size == 1; }),
                    loops.end());
        std::sort(loops.begin(), loops.end(),
                  [](const Loop &a, const Loop &b) { return std::abs(a.to) < std::abs(b.to); });
        for (const Loop &loop : loops) {
            Loop &last = outer_.empty() ? inner_ : outer_.back();
            if (outer_.empty() && inner_.size == 1) {
                inner_ = loop;
            } else if (loop.from == last.size * last.from && loop.to == last.size * last.to) {
                last.size *= loop.size;
            } else {
                outer_.push_back(loop);
            }
        }
        const auto nearest = std::min_element(outer_.begin(), outer_.end(), [](const Loop &a, const Loop &b) {
            return std::abs(a.from) < std::abs(b.from);
        });
        if (nearest != outer_.end() && std::abs(nearest->from) < std::abs(inner_.from)) {
            across_ = *nearest;
            outer_.erase(nearest);
        }
    }

    void run(int threads) const {
        int64_t turns = tiles();
        for (const Loop &loop : outer_) {
            turns *= loop.size;
        }
        constexpr int64_t worth_it = 1 << 13;  // elements that a thread takes at a time
        const int64_t at_once = std::max<int64_t>(worth_it / (inner_.size * std::min(side, across_.size)), 1);
        share_turns(threads, divide_up(turns, at_once), [&](int64_t number) {
            for (int64_t i = number * at_once; i < std::min((number + 1) * at_once, turns); i++) {
                turn(i);
            }
        });
    }

private:
    static constexpr int64_t side = 64 / static_cast<int64_t>(sizeof(Bits));  // elements of a line of a cache

    int64_t tiles() const {
        return divide_up(across_.size, side);
    }

    void turn(int64_t number) const {
        const int64_t begin = number % tiles() * side, end = std::min(begin + side, across_.size);
        const char *from = from_ + begin * across_.from;
        char *to = to_ + begin * across_.to;
        number /= tiles();
        for (const Loop &loop : outer_) {
            from += number % loop.size * loop.from;
            to += number % loop.size * loop.to;
            number /= loop.size;
        }
        constexpr int64_t bytes = sizeof(Bits);
        if (inner_.from == bytes && inner_.to == bytes) {
            for (int64_t i = begin; i < end; i++, from += across_.from, to += across_.to) {
                std::memcpy(to, from, static_cast<size_t>(inner_.size * bytes));
            }
            return;
        }
        for (int64_t j = 0; j < inner_.size; j++, from += inner_.from, to += inner_.to) {
            for (int64_t i = 0; i < end - begin; i++) {
                std::memcpy(to + i * across_.to, from + i * across_.from, sizeof(Bits));
            }
        }
    }

    const char *from_;
    char *to_;
    Loop inner_{1, 0, 0}, across_{1, 0, 0};  // neighbours in the copy, and other ones in what is copied
    std::vector<Loop> outer_;
};

// The loops have no dimension without elements.
void copy(const void *from, void *to, DType dtype, const std::vector<Loop> &loops, int threads) {
    const auto *const first = static_cast<const char *>(from);
    auto *const first_of_copy = static_cast<char *>(to);
    switch (size_of(dtype)) {
    case 2:
        Copy<uint16_t>(first, first_of_copy, loops).run(threads);
        break;
    case 4:
        Copy<uint32_t>(first, first_of_copy, loops).run(threads);
        break;
    default:
        Copy<uint64_t>(first, first_of_copy, loops).run(threads);
    }
}

}  // namespace

void copy_elements(const View<const void> &from, const View<void> &to) {
    const int64_t bytes = size_of(from.dtype);
    std::vector<Loop> loops;
    for (size_t d = 0; d < from.sizes.size(); d++) {
        loops.push_back({from.sizes[d], from.strides[d] * bytes, to.strides[d] * bytes});
    }
    if (std::all_of(loops.begin(), loops.end(), [](const Loop &loop) { return loop.size > 0; })) {
        copy(from.data, to.data, from.dtype, loops, 1);
    }
}

void copy_elements(const Array &from, const Array &to, int threads) {
    const int64_t bytes = size_of(from.dtype());
    std::vector<Loop> loops;
    for (size_t i = 0; i < Array::rank; i++) {
        const auto d = static_cast<Array::Dimension>(i);
        loops.push_back({from.extent(d), from.stride(d) * bytes, to.stride(d) * bytes});
    }
    copy(from.data(), const_cast<char *>(to.data()), from.dtype(), loops, threads);
}

}  // namespace unstride
