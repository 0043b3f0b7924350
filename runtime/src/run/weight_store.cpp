#include "run/weight_store.h"

#include <algorithm>
#include <array>
#include <type_traits>

#include "run/stream.h"

#ifdef __SSE2__
#include <xmmintrin.h>
#endif

namespace unstride {
namespace {

constexpr size_t strip = 16,
                 taps_at_once = 32;       // lanes and taps whose sums stay in registers or in the first-level cache
constexpr size_t most_taps_of_run = 256;  // so that all taps of a strip stay in the first-level cache
constexpr int64_t streamed_bytes =
    2 << 20;  // of a gradient that is too large for the caches that a core can call its own

// Sums of a few taps, the lanes of each side by side.
template<typename Sum>
using StripSums = std::array<std::array<Sum, strip>, taps_at_once>;

// Where taps go: tap `i` of a lane to element(i), counted from that of the lane.
struct Dense {
    size_t first;

    size_t element(size_t tap) const {
        return first + tap;
    }
};
struct Apart {
    const int64_t *elements;

    int64_t element(size_t tap) const {
        return elements[tap];
    }
};

// Adds up the chunks of `taps` taps. `lanes` may be a constant, which is faster.
template<typename Sum, typename Lanes>
void add_up(StripSums<Sum> &sums, const Sum *first, const ChunksOfBlocks &chunks, const int64_t *places, size_t taps,
            Lanes lanes) {
    for (size_t tap = 0; tap < taps; tap++) {
        std::copy_n(first + places[tap], lanes, sums[tap].begin());
    }
    for (int64_t chunk = 1; chunk < chunks.count; chunk++) {
        for (size_t tap = 0; tap < taps; tap++) {
            const Sum *from = first + chunk * chunks.stride + places[tap];
            for (size_t i = 0; i < lanes; i++) {
                sums[tap][i] += from[i];
            }
        }
    }
}

// Stores the sums of a lane from tap `first` on.
template<typename Sum, typename T, typename Order>
void store_lane(const StripSums<Sum> &sums, size_t lane, size_t first, size_t taps, Update update, T *to,
                const Order &order) {
    if (update == Update::accumulate) {
        for (size_t tap = first; tap < taps; tap++) {
            T &element = to[order.element(tap)];
            element = static_cast<T>(sums[tap][lane] + static_cast<Sum>(element));
        }
        return;
    }
    for (size_t tap = first; tap < taps; tap++) {
        to[order.element(tap)] = static_cast<T>(sums[tap][lane]);
    }
}

// Stores sums in blocks of four lanes by four taps, which are turned in registers, and returns how many taps of each
// lane it has stored. Where blocks are not known to pay, there are none.
template<typename Sum, typename T, typename Order>
size_t store_blocks(const StripSums<Sum> & /*sums*/, size_t /*lanes*/, size_t /*taps*/, Update /*update*/, T * /*to*/,
                    int64_t /*lane_stride*/, const Order & /*order*/) {
    return 0;
}

#ifdef __SSE2__
template<>
size_t store_blocks(const StripSums<float> &sums, size_t lanes, size_t taps, Update update, float *to,
                    int64_t lane_stride, const Dense &order) {
    constexpr size_t side = 4;
    if (lanes % side != 0) {
        return 0;
    }
    const size_t whole = taps / side * side;
    for (size_t lane = 0; lane < lanes; lane += side) {
        for (size_t tap = 0; tap < whole; tap += side) {
            __m128 block[side];
            for (size_t i = 0; i < side; i++) {
                block[i] = _mm_loadu_ps(&sums[tap + i][lane]);
            }
            _MM_TRANSPOSE4_PS(block[0], block[1], block[2], block[3]);
            for (size_t i = 0; i < side; i++) {
                float *const element = to + static_cast<int64_t>(lane + i) * lane_stride + order.element(tap);
                const __m128 so_far = update == Update::accumulate ? _mm_loadu_ps(element) : _mm_setzero_ps();
                _mm_storeu_ps(element, update == Update::accumulate ? _mm_add_ps(block[i], so_far) : block[i]);
            }
        }
    }
    return whole;
}
#endif

template<typename Sum, typename T, typename Order>
void store_all(const StripSums<Sum> &sums, size_t lanes, size_t taps, Update update, T *to, int64_t lane_stride,
               const Order &order) {
    const size_t stored = store_blocks(sums, lanes, taps, update, to, lane_stride, order);
    for (size_t lane = 0; lane < lanes; lane++) {
        store_lane(sums, lane, stored, taps, update, to + static_cast<int64_t>(lane) * lane_stride, order);
    }
}

}  // namespace

// Stores `lanes` lanes, at most a strip.
template<typename Sum, typename T>
void WeightStore::store_strip(const Sum *first, size_t lanes, const ChunksOfBlocks &chunks, T *to,
                              int64_t lane_stride) const {
    const size_t all_taps = places_.size();
    const bool in_run = streams_ && static_cast<size_t>(lane_stride) == all_taps && all_taps <= most_taps_of_run;
    std::array<T, strip * most_taps_of_run> run;
    for (size_t tap = 0; tap < all_taps; tap += taps_at_once) {
        const size_t taps = std::min(taps_at_once, all_taps - tap);
        StripSums<Sum> sums;
        if (lanes == strip) {
            add_up(sums, first, chunks, &places_[tap], taps, std::integral_constant<size_t, strip>());
        } else {
            add_up(sums, first, chunks, &places_[tap], taps, lanes);
        }
        if (in_run) {
            store_all(sums, lanes, taps, Update::replace, run.data(), lane_stride, Dense{tap});
        } else if (dense_) {
            store_all(sums, lanes, taps, update_, to, lane_stride, Dense{tap});
        } else {
            store_all(sums, lanes, taps, update_, to, lane_stride, Apart{&elements_[tap]});
        }
    }
    if (in_run) {
        stream(run.data(), lanes * all_taps * sizeof(T), to);
    }
}

WeightStore::WeightStore(const WeightGradientProgram &program, const Problem &problem, const View<void> &gradient,
                         Update update)
    : tiles_(program.tiles), seen_(program.seen), gradient_(gradient), update_(update) {
    const auto &[z, y, x] = problem.geometry.extent;
    for (int64_t kz = 0; kz < z.kernel; kz++) {
        for (int64_t ky = 0; ky < y.kernel; ky++) {
            for (int64_t kx = 0; kx < x.kernel; kx++) {
                places_.push_back(tiles_.place_of_tap_x(kx) + (kz * y.kernel + ky) * tiles_.tap_y_stride());
                elements_.push_back(kz * gradient.strides[2] + ky * gradient.strides[3] + kx * gradient.strides[4]);
            }
        }
    }
    dense_ = true;
    for (size_t tap = 1; tap < elements_.size(); tap++) {
        dense_ = dense_ && elements_[tap] == elements_[tap - 1] + 1;
    }
    streams_ = dense_ && update == Update::replace &&
               problem.geometry.weight_elements() * size_of(gradient.dtype) >= streamed_bytes;
}

void WeightStore::store(const TileBlocks &blocks, const ChunksOfBlocks &chunks) const {
    const bool to_outputs = tiles_.family == Family::outputs;
    const int64_t channels = tiles_.family == Family::inputs ? seen_.inputs : seen_.outputs,
                  lane_stride = gradient_.strides[to_outputs ? 1 : 0];
    // What lies across tiles of family outputs are input channels, each of which has lanes of its own.
    const int64_t other = to_outputs ? blocks.others * tiles_.others : blocks.others,
                  others = to_outputs ? std::min(tiles_.others, seen_.inputs - other) : 1,
                  other_stride = gradient_.strides[to_outputs ? 0 : 1];
    const int64_t begin = blocks.lanes.first * tiles_.lanes,
                  end = std::min(begin + blocks.lanes.count * tiles_.lanes, channels);
    const int64_t first = blocks.group * seen_.inputs * gradient_.strides[0] + other * other_stride;
    with_type(gradient_.dtype, [&](auto *null) {
        using T = std::remove_pointer_t<decltype(null)>;
        using Sum = std::conditional_t<std::is_same_v<T, double>, double, float>;
        for (int64_t i = 0; i < others; i++) {
            for (int64_t lane = begin; lane < end;) {
                const int64_t in_block = lane % tiles_.lanes, block = lane / tiles_.lanes - blocks.lanes.first,
                              lanes = std::min({static_cast<int64_t>(strip), tiles_.lanes - in_block, end - lane});
                store_strip(static_cast<const Sum *>(chunks.first) + block * tiles_.block_elements() +
                                i * tiles_.lanes + in_block,
                            static_cast<size_t>(lanes), chunks,
                            static_cast<T *>(gradient_.data) + first + lane * lane_stride + i * other_stride,
                            lane_stride);
                lane += lanes;
            }
        }
    });
    if (streams_) {
        end_streams();
    }
}

}  // namespace unstride
