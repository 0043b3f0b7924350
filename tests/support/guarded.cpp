#include "support/guarded.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "support/harness.h"

namespace unstride::tests {
namespace {

constexpr unsigned char guard = 0xff;

}  // namespace

Guarded::Guarded(const Shape &sizes, Layout layout, std::mt19937 &random, DType dtype)
    : dtype_(dtype), sizes_(sizes), strides_(sizes.size()) {
    std::vector<size_t> order(sizes.size());  // the innermost first
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
    memory_.assign((before + stride + before) * size_of(dtype), guard);
}

View<float> Guarded::view() {
    return {static_cast<float *>(any_view().data), sizes_, strides_};
}

View<const float> Guarded::const_view() const {
    return const_cast<Guarded &>(*this).view();
}

View<void> Guarded::any_view() {
    return {memory_.data() + first_ * size_of(dtype_), dtype_, sizes_, strides_};
}

bool Guarded::surroundings_intact() const {
    const auto bytes = static_cast<size_t>(size_of(dtype_));
    std::vector<unsigned char> surroundings = memory_;
    for (int64_t place : offsets(sizes_, strides_)) {
        std::memset(surroundings.data() + (first_ + place) * bytes, guard, bytes);
    }
    return std::all_of(surroundings.begin(), surroundings.end(), [](unsigned char byte) { return byte == guard; });
}

}  // namespace unstride::tests
