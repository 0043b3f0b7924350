#ifndef UNSTRIDE_TESTS_FUZZ_CHOICES_H
#define UNSTRIDE_TESTS_FUZZ_CHOICES_H

#include <cstddef>
#include <cstdint>

namespace unstride::tests {

// Where a fuzzer's decisions come from: a seed, or the bytes that libFuzzer mutates. Bytes that are missing are zero,
// which stands for what is usual.
class Choices {
public:
    explicit Choices(uint64_t seed) : state_(seed) {
    }
    Choices(const uint8_t *bytes, size_t count) : bytes_(bytes), left_(count) {
    }

    // A number from `low` to `high`, both of which may come.
    int64_t between(int64_t low, int64_t high) {
        const auto count = static_cast<uint64_t>(high - low) + 1;
        return low + static_cast<int64_t>(number(count > 256 ? 4 : 1) % count);
    }

    bool once_in(int64_t times) {
        return between(0, times - 1) == times - 1;
    }

    // From 1 to `usual`, now and then up to `rare`.
    int64_t size(int64_t usual, int64_t rare) {
        return between(1, once_in(8) ? rare : usual);
    }

    template<typename Container>
    const auto &of(const Container &container) {
        return container[static_cast<size_t>(between(0, static_cast<int64_t>(std::size(container)) - 1))];
    }

    uint32_t seed() {
        return static_cast<uint32_t>(number(4));
    }

private:
    uint64_t number(int bytes) {
        if (bytes_ == nullptr) {  // SplitMix64
            uint64_t z = state_ += 0x9e3779b97f4a7c15;
            z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
            z = (z ^ z >> 27) * 0x94d049bb133111eb;
            return (z ^ z >> 31) >> 8;
        }
        uint64_t result = 0;
        for (int i = 0; i<bytes; i++, left_ -= left_> 0 ? 1 : 0) {
            result = result << 8 | (left_ > 0 ? *bytes_++ : 0);
        }
        return result;
    }

    uint64_t state_ = 0;
    const uint8_t *bytes_ = nullptr;
    size_t left_ = 0;
};

}  // namespace unstride::tests

#endif
