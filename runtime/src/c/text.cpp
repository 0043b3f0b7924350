#include "c/text.h"

#include <algorithm>

#include "c/arguments.h"

namespace unstride::c {

void write_text(std::string_view text, char *memory, size_t capacity) noexcept {
    if (capacity > 0) {
        const size_t length = std::min(text.size(), capacity - 1);
        std::copy_n(text.data(), length, memory);
        memory[length] = '\0';
    }
}

void return_text(std::string_view text, char *memory, size_t capacity, size_t *needed) {
    if (capacity > 0) {
        check_given("memory for the text", memory);
        write_text(text, memory, capacity);
    }
    if (needed != nullptr) {
        *needed = text.size() + 1;
    }
}

}  // namespace unstride::c
