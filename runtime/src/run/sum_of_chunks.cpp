#include "run/sum_of_chunks.h"

#include <algorithm>
#include <atomic>
#include <type_traits>

#include "device/kernel_call.h"
#include "kernels/catalog.h"
#include "problem/checked.h"
#include "process/thread_pool.h"

namespace unstride {
namespace {

constexpr size_t rank = SumOfChunks::rank;
constexpr int64_t block = 256;  // sums of a run, which stay in the first-level cache

// A loop that threads share, each turn of which adds up a run of sums along the first dimension.
template<typename T>
struct Adding {
    using Sum = std::conditional_t<std::is_same_v<T, double>, double, float>;

    const SumOfChunks &sum;
    Update update;
    std::atomic<int64_t> next{0};

    int64_t runs() const {
        return divide_up(sum.extents[0], block);
    }
    int64_t turns() const {
        int64_t turns = runs();
        for (size_t d = 1; d < rank; d++) {
            turns *= sum.extents[d];
        }
        return turns;
    }
    void operator()() {
        for (int64_t all = turns(), i = next++; i < all; i = next++) {
            turn(i);
        }
    }
    void turn(int64_t i) {
        const int64_t first = i % runs() * block, count = std::min(block, sum.extents[0] - first);
        int64_t from = sum.chunks.offset + first * sum.chunk_strides[0],
                to = sum.output.offset + first * sum.output_strides[0];
        i /= runs();
        for (size_t d = 1; d < rank; d++) {
            from += i % sum.extents[d] * sum.chunk_strides[d];
            to += i % sum.extents[d] * sum.output_strides[d];
            i /= sum.extents[d];
        }
        std::array<Sum, block> total{};
        for (int64_t chunk = 0; chunk < sum.count; chunk++) {
            add(total, static_cast<const Sum *>(sum.chunks.data) + from + chunk * sum.chunk_strides[rank], count);
        }
        auto *output = static_cast<T *>(const_cast<void *>(sum.output.data)) + to;
        for (int64_t j = 0; j < count; j++) {
            T &element = output[j * sum.output_strides[0]];
            const Sum value = total[static_cast<size_t>(j)];
            element = T(update == Update::accumulate ? static_cast<Sum>(element) + value : value);
        }
    }
    void add(std::array<Sum, block> &total, const Sum *chunk, int64_t count) const {
        if (sum.chunk_strides[0] == 1) {
            for (int64_t j = 0; j < count; j++) {
                total[static_cast<size_t>(j)] += chunk[j];
            }
            return;
        }
        for (int64_t j = 0; j < count; j++) {
            total[static_cast<size_t>(j)] += chunk[j * sum.chunk_strides[0]];
        }
    }
};

void add_on_cpu(const SumOfChunks &sum, Update update, int threads) {
    with_type(sum.output.dtype, [&](auto *null) {
        Adding<std::remove_pointer_t<decltype(null)>> adding{sum, update};
        in_threads(static_cast<int>(std::min<int64_t>(threads, adding.turns())), adding);
    });
}

}  // namespace

void add_chunks(const SumOfChunks &sum, Update update, int threads, const Stream &stream) {
    if (stream.device == Device::cpu) {
        add_on_cpu(sum, update, threads);
        return;
    }
    std::array<int64_t, rank + 1> extents{};
    std::copy(sum.extents.begin(), sum.extents.end(), extents.begin());
    extents[rank] = sum.count;
    KernelBuffer<rank + 1> chunks(sum.chunks, extents, sum.chunk_strides);
    KernelBuffer<rank> before(sum.output, sum.extents, sum.output_strides),
        output(sum.output, sum.extents, sum.output_strides);
    KernelCall call(stream);
    call.check(sum_of_chunks_kernel(sum.output.dtype, to_string(stream.device))(
        call.context(), chunks.get(), before.get(), update == Update::accumulate, output.get()));
}

}  // namespace unstride
