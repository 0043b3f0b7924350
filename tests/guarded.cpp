#include "guarded.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "harness.h"

namespace unstride::tests {
namespace {

constexpr uint32_t guard_bits = 0x7fc0dead;

float guard() {
    float value = 0;
    std::memcpy(&value, &guard_bits, sizeof value);
    return value;
}

bool is_guard(float value) {
    uint32_t bits = 0;
    std::memcpy(&bits, &value, sizeof bits);
    return bits == guard_bits;
}

}  // namespace

Guarded::Guarded(const Shape &sizes, Layout layout, std::mt19937 &random)
    : sizes_(sizes), strides_(sizes.size()) {
    std::vector<size_t> order(sizes.size());  // innermost first
    std::iota(order.begin(), order.end(), size_t{0});
    std::swap(order[0], order[layout == Layout::ncdhw ? sizes.size() - 1 : sizes.size() - 4]);
    if (random() % 2 == 0) {
        std::shuffle(order.begin() + 1, order.end(), random);
    }
    constexpr int64_t before = 64;  // more than any vector
    int64_t stride = 1;
    first_ = before;
    for (size_t dimension : order) {
        const int64_t lower = random() % 3, upper = random() % 3;
        strides_[dimension] = stride;
        first_ += lower * stride;
        stride *= lower + sizes[dimension] + upper;
    }
    memory_.assign(before + stride + before, guard());
}

View<float> Guarded::view() {
    return {memory_.data() + first_, sizes_, strides_};
}

View<const float> Guarded::const_view() const {
    return {memory_.data() + first_, sizes_, strides_};
}

bool Guarded::surroundings_intact() const {
    std::vector<bool> inside(memory_.size());
    for (int64_t i = 0; i < element_count(sizes_); i++) {
        inside[first_ + offset(sizes_, strides_, i)] = true;
    }
    for (size_t i = 0; i < memory_.size(); i++) {
        if (!inside[i] && !is_guard(memory_[i])) {
            return false;
        }
    }
    return true;
}

}  // namespace unstride::tests
