#ifndef UNSTRIDE_RUNTIME_C_ARGUMENTS_H
#define UNSTRIDE_RUNTIME_C_ARGUMENTS_H

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>

#include "unstride/error.h"
#include "unstride/tensor.h"

// The checks of arguments that only the C API has, as C++ cannot get them wrong.
namespace unstride::c {

template<typename T>
T *check_given(const char *name, T *pointer) {
    if (pointer == nullptr) {
        throw InvalidArgument(std::string(name) + " is null");
    }
    return pointer;
}

// Refuses a size that no struct of this version or of a later one can have: it was not set.
inline void check_struct_size(const char *name, size_t size) {
    constexpr size_t most = 65536;
    if (size < sizeof size || size > most) {
        throw InvalidArgument(std::string(name) + " has size " + std::to_string(size) +
                              ": set it to the sizeof of the struct");
    }
}

// Returns the options that a caller has given, which may have been compiled with another version of the struct. All are
// 0 for null.
template<typename Options>
Options options_from(const char *name, const Options *given) {
    static_assert(std::is_trivially_copyable_v<Options> && offsetof(Options, size) == 0);
    Options options{};
    if (given == nullptr) {
        return options;
    }
    check_struct_size(name, given->size);
    const auto *const bytes = reinterpret_cast<const char *>(given), *const end = bytes + given->size;
    std::memcpy(&options, bytes, std::min(given->size, sizeof options));
    if (given->size > sizeof options && std::any_of(bytes + sizeof options, end, [](char byte) { return byte != 0; })) {
        throw InvalidArgument(std::string(name) + " has options that this version of Unstride does not know");
    }
    return options;
}

// Fills in a caller's struct, which may have been compiled with another version.
template<typename Result>
void fill(const char *name, Result *given, Result result) {
    static_assert(std::is_trivially_copyable_v<Result> && offsetof(Result, size) == 0);
    check_struct_size(name, check_given(name, given)->size);
    const size_t size = given->size, known = std::min(size, sizeof result);
    result.size = size;
    std::memcpy(given, &result, known);
    std::memset(reinterpret_cast<char *>(given) + known, 0, size - known);
}

// Returns a value of an enum of C++ whose enumerators have the numbers from 0 to `last`.
template<typename Enum>
Enum enumerator(const char *name, int32_t value, Enum last) {
    if (value < 0 || value > static_cast<int32_t>(last)) {
        throw InvalidArgument(std::string(name) + " must be from 0 to " + std::to_string(static_cast<int32_t>(last)) +
                              ", but is " + std::to_string(value));
    }
    return static_cast<Enum>(value);
}

// Returns `count` numbers as a Shape. `numbers` may be null if there are none.
inline Shape shape_of(const char *name, const int64_t *numbers, int64_t count) {
    constexpr int64_t most = 64;  // as in NumPy and PyTorch; layers take 5 at most, and say so themselves
    if (count < 0 || count > most) {
        throw InvalidArgument(std::string(name) + " has " + std::to_string(count) + " dimensions, which must be 0 to " +
                              std::to_string(most));
    }
    return count == 0 ? Shape{} : Shape(check_given(name, numbers), numbers + count);
}

}  // namespace unstride::c

#endif
