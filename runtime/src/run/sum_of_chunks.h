#ifndef UNSTRIDE_RUNTIME_RUN_SUM_OF_CHUNKS_H
#define UNSTRIDE_RUNTIME_RUN_SUM_OF_CHUNKS_H

#include <array>
#include <cstdint>

#include "array/array.h"
#include "unstride/operator.h"

namespace unstride {

// Sums of chunks, which are f32 or f64, and where their total goes to: an array whose elements are rounded to its type.
// The strides of the chunks have one more dimension, which leads from chunk to chunk.
struct SumOfChunks {
    static constexpr size_t rank = 7;

    Origin chunks, output;
    int64_t count;  // chunks; 0 has total 0
    std::array<int64_t, rank> extents;
    std::array<int64_t, rank + 1> chunk_strides;
    std::array<int64_t, rank> output_strides;
};

// Adds up chunk after chunk, on the CPU, or queued in the stream of a GPU. There, extents 2 and 3 make at most 65535
// pairs, and 4 and 5 as many.
void add_chunks(const SumOfChunks &sum, Update update, int threads, const Stream &stream);

}  // namespace unstride

#endif
