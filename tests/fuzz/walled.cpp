#include "walled.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <stdexcept>

#include "support/harness.h"

namespace unstride::tests {
namespace {

constexpr unsigned char guard = 0xff;
constexpr size_t room_bytes = size_t{32} << 20, beside = 256;

// Rooms that no array has at the moment. Making one takes longer than a small call.
std::vector<unsigned char *> &free_rooms() {
    static std::vector<unsigned char *> rooms;
    return rooms;
}

unsigned char *take_room() {
    if (!free_rooms().empty()) {
        unsigned char *room = free_rooms().back();
        free_rooms().pop_back();
        return room;
    }
    const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    void *all = mmap(nullptr, room_bytes + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (all == MAP_FAILED || mprotect(static_cast<char *>(all) + page, room_bytes, PROT_READ | PROT_WRITE) != 0) {
        throw std::runtime_error("there is no memory for an array between two pages");
    }
    return static_cast<unsigned char *>(all) + page;
}

}  // namespace

Walled::Walled(const Shape &sizes, DType dtype, const Placement &placement, Choices &choices)
    : room_(take_room()), first_used_(room_), used_(0), dtype_(dtype), sizes_(sizes), strides_(sizes.size(), 1),
      data_(room_) {
    std::vector<size_t> order(sizes.size());  // the innermost first
    std::iota(order.rbegin(), order.rend(), size_t{0});
    std::rotate(order.begin(), std::find(order.begin(), order.end(), placement.dense),
                std::find(order.begin(), order.end(), placement.dense) + 1);
    const bool shuffled = placement.spread && choices.once_in(2);
    for (size_t i = order.size(); shuffled && i-- > 2;) {
        std::swap(order[i], order[static_cast<size_t>(choices.between(1, static_cast<int64_t>(i)))]);
    }
    int64_t stride = placement.stride, last = 0;
    for (const size_t d : order) {
        const bool repeated = placement.repeats && d != placement.dense && choices.once_in(4);
        const int64_t gap = placement.spread ? choices.between(0, 3) : 0, size = std::max<int64_t>(sizes[d], 1);
        strides_[d] = repeated ? 0 : stride;
        last += repeated ? 0 : (size - 1) * stride;
        stride *= size + gap;
        // The stride of a single element means nothing.
        if (placement.spread && sizes[d] == 1 && d != placement.dense && choices.once_in(4)) {
            strides_[d] = choices.between(0, 1 << 20);
        }
    }
    const auto bytes = static_cast<size_t>(size_of(dtype)), span = static_cast<size_t>(last + 1) * bytes;
    used_ = std::min(span + beside, room_bytes);
    if (span > room_bytes) {
        throw std::runtime_error("an array is too large for its room");
    }
    const bool at_end = choices.once_in(2);
    first_used_ = at_end ? room_ + room_bytes - used_ : room_;
    data_ = at_end ? room_ + room_bytes - span : room_;
    std::memset(first_used_, guard, used_);
}

Walled::~Walled() {
    free_rooms().push_back(room_);
}

View<void> Walled::view(int spatial) const {
    return {data_, dtype_, sizes_, strides_, spatial};
}

void Walled::remember() {
    remembered_.assign(first_used_, first_used_ + used_);
}

bool Walled::is_as_remembered() const {
    return std::memcmp(remembered_.data(), first_used_, used_) == 0;
}

bool Walled::surroundings_intact() const {
    const auto bytes = static_cast<size_t>(size_of(dtype_));
    std::vector<unsigned char> all(first_used_, first_used_ + used_);
    for (const int64_t place : offsets(sizes_, strides_)) {
        std::memset(all.data() + (data_ - first_used_) + static_cast<size_t>(place) * bytes, guard, bytes);
    }
    return std::all_of(all.begin(), all.end(), [](unsigned char byte) { return byte == guard; });
}

}  // namespace unstride::tests
