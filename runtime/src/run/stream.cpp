#include "run/stream.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace unstride {

#ifdef __SSE2__

void stream(const void *from, size_t bytes, void *to) {
    const auto *source = static_cast<const char *>(from);
    auto *target = static_cast<char *>(to);
    constexpr size_t vector = sizeof(__m128i);
    const size_t before = std::min(bytes, (vector - reinterpret_cast<uintptr_t>(to) % vector) % vector);
    std::memcpy(target, source, before);
    size_t i = before;
    for (; i + vector <= bytes; i += vector) {
        _mm_stream_si128(reinterpret_cast<__m128i *>(target + i),
                         _mm_loadu_si128(reinterpret_cast<const __m128i *>(source + i)));
    }
    std::memcpy(target + i, source + i, bytes - i);
}

void end_streams() {
    _mm_sfence();
}

#else

void stream(const void *from, size_t bytes, void *to) {
    std::memcpy(to, from, bytes);
}

void end_streams() {
}

#endif

}  // namespace unstride
