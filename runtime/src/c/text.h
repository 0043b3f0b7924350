#ifndef UNSTRIDE_RUNTIME_C_TEXT_H
#define UNSTRIDE_RUNTIME_C_TEXT_H

#include <cstddef>
#include <string_view>

namespace unstride::c {

// Writes as much of a text as fits into memory of `capacity` bytes, and a zero. Writes nothing if that is 0.
void write_text(std::string_view text, char *memory, size_t capacity) noexcept;

// The same for a caller's memory, which it checks. `needed` may be null.
void return_text(std::string_view text, char *memory, size_t capacity, size_t *needed);

}  // namespace unstride::c

#endif
