#include "run/bias_gradient.h"

#include <algorithm>
#include <array>
#include <limits>
#include <stdexcept>
#include <utility>
#include <variant>

#include "array/copy.h"
#include "array/scratch.h"
#include "device/kernel_call.h"
#include "partial_sums.h"
#include "plan/program.h"
#include "problem/checked.h"
#include "run/block_limits.h"
#include "run/sum_of_chunks.h"

namespace unstride {
namespace {

constexpr int64_t few = 16;  // sums that are added one after the other

PositionChunks chunks_of(const Geometry &geometry) {
    const auto &[z, y, x] = geometry.extent;
    return unstride::chunks_of(geometry.batch, product({z.output, y.output, x.output}));
}

// Returns the kernel that adds up sums which a kernel has left, whose channels are dense.
const Entry &kernel_of_sums(const Entry &entry) {
    const auto is_it = [&](const Entry &e) {
        const Variant &v = e.variant;
        return v.op == Operator::bias_gradient && v.layout == Layout::ndhwc && v.isa == entry.variant.isa &&
               v.types == Types(entry.variant.types.sums()) && v.layer == nullptr;
    };
    const auto found = std::find_if(catalog().begin(), catalog().end(), is_it);
    if (found == catalog().end()) {
        throw std::logic_error("the catalog lacks the kernel that adds up what " + entry.variant.name + " leaves");
    }
    return *found;
}

// Returns an array as kernels of the bias gradient take it. Dimensions of space that follow each other without a gap
// become one, in which positions need no division to be found.
KernelBuffer<5> positions_of(const Array &array, Layout layout) {
    std::vector<std::pair<int64_t, int64_t>> space;  // extent and stride
    for (const Array::Dimension d : {Array::column, Array::row, Array::slice}) {
        const int64_t extent = array.extent(d), stride = array.stride(d);
        if (extent != 1 && !space.empty() && stride == space.back().first * space.back().second) {
            space.back().first *= extent;
        } else if (extent != 1) {
            space.emplace_back(extent, stride);
        }
    }
    if (space.empty() || (layout == Layout::ncdhw && space.front().second != 1)) {
        space.insert(space.begin(), {1, 1});
    }
    space.resize(3, {1, 1});
    const auto stride = [&](Array::Dimension d) { return array.extent(d) == 1 ? 1 : array.stride(d); };
    return {array.origin(),
            {space[0].first, space[1].first, space[2].first, array.extent(Array::channel), array.extent(Array::item)},
            {space[0].second, space[1].second, space[2].second, stride(Array::channel), stride(Array::item)}};
}

// Returns the sizes of `count` sums for each channel, as if they were the positions of an item.
Shape sizes_of(int64_t channels, int64_t count) {
    return {1, channels, 1, 1, count};
}

int64_t positions_in_item(const Array &array) {
    return array.extent(Array::column) * array.extent(Array::row) * array.extent(Array::slice);
}

// Copies a range of the positions of each item, which are numbered through rows and slices, into a single row.
Array copy_positions(const Array &from, const Range &range, const Problem &problem, Scratch &copy) {
    Array::Window window = from.whole();
    window[Array::slice] = window[Array::row] = {0, 1, 1};
    window[Array::column] = {0, 1, range.count};
    const Array row = copy.like(from.window(window), problem.layout);
    const int64_t width = from.extent(Array::column), slice = width * from.extent(Array::row);
    // Whole slices, whole rows and the rest are copied at a time, whichever begins here.
    for (int64_t done = 0; done < range.count;) {
        const int64_t at = range.first + done, left = range.count - done, column = at % width,
                      line = at / width % from.extent(Array::row);
        const bool slices = at % slice == 0 && left >= slice, rows = column == 0 && left >= width;
        window[Array::slice] = {at / slice, 1, slices ? left / slice : 1};
        window[Array::row] = {line, 1, 1};
        window[Array::column] = {column, 1, rows ? width : std::min(left, width - column)};
        if (rows) {
            window[Array::row].count =
                slices ? from.extent(Array::row) : std::min(left / width, from.extent(Array::row) - line);
        }
        const Array part = from.window(window);
        copy_elements(part, row.box_of_row(done, part), problem.threads);
        done += positions_in_item(part);
    }
    return row;
}

}  // namespace

PositionSums::PositionSums(const Entry *entry, const Problem &problem, const Stream &stream)
    : entry_(entry), problem_(problem), stream_(stream), dtype_(problem.types.sums()),
      channels_(problem.geometry.channels.outputs), chunks_(chunks_of(problem.geometry)) {
    sums_.push_back(allocate(problem.geometry.batch > 0 ? chunks_.count() : 0));
}

PositionSums::Sums PositionSums::allocate(int64_t count) const {
    const int64_t at_least_one = std::max<int64_t>(count, 1);
    if (stream_.device == Device::cpu) {
        return {count, Tensor(sizes_of(channels_, at_least_one), Layout::ndhwc, 3, dtype_), nullptr};
    }
    return {count, std::nullopt,
            std::make_unique<DeviceArray>(stream_, multiply(channels_, at_least_one), dtype_,
                                          DeviceArray::Freed::in_stream)};
}

Origin PositionSums::origin_of(const Sums &sums, int64_t offset) const {
    return {stream_.device, dtype_, sums.tensor ? sums.tensor->data<void>() : nullptr, sums.on_gpu.get(), offset};
}

int64_t PositionSums::items_of_call(int64_t apart) const {
    const int64_t batch = problem_.geometry.batch;
    int64_t items = items_in_32_bits(problem_.geometry, apart);
    if (stream_.device != Device::cpu) {
        items = std::min(items, multiply(grid_limit, chunks_.items));
        if (divide_up(channels_, channels_of_block(entry_->across)) > grid_limit) {
            throw InvalidArgument("this many output channels are not supported on a GPU");
        }
    }
    if (items >= batch) {
        return batch;
    }
    if (stream_.device == Device::opencl) {
        throw InvalidArgument("more than " + std::to_string(items) +
                              " items of this size are not supported with OpenCL");
    }
    return std::max<int64_t>(items / chunks_.items, 1) * chunks_.items;
}

void PositionSums::run(const Entry &entry, const Array &from, const PositionChunks &chunks, const Sums &to,
                       int64_t first_chunk, int64_t first_channel) const {
    const int64_t groups = divide_up(from.extent(Array::item), chunks.items);
    KernelBuffer<5> positions = positions_of(from, entry.variant.layout);
    KernelBuffer<3> sums(origin_of(to, first_chunk * channels_ + first_channel),
                         {from.extent(Array::channel), chunks.in_item, groups},
                         {1, channels_, channels_ * chunks.in_item});
    KernelCall call(problem_.threads, KernelCall::Shared::items, stream_);
    call.check(std::get<BiasGradientKernel>(entry.kernel)(call.context(), positions.get(),
                                                          static_cast<int32_t>(chunks.steps),
                                                          static_cast<int32_t>(chunks.items), sums.get()));
}

void PositionSums::add(const Array &items, int64_t first) {
    const int64_t count = items.extent(Array::item), first_chunk = first / chunks_.items * chunks_.in_item;
    // A chunk may have several items, which may lie too far apart for one call.
    const bool in_reach = count == 1 || items.stride(Array::item) <= std::numeric_limits<int32_t>::max() / count;
    if (stream_.device != Device::cpu || (in_reach && items.fits_kernels(problem_.layout, block_limits().elements))) {
        run(*entry_, items, chunks_, sums_.front(), first_chunk);
    } else {
        add_copies(items, first_chunk);
    }
}

// A copy has whole chunks: of several items, or of one item that is cut into chunks.
void PositionSums::add_copies(const Array &items, int64_t first_chunk) {
    const bool cut = chunks_.in_item > 1;
    const int64_t batch = items.extent(Array::item), positions = positions_in_item(items),
                  of_chunk = cut ? chunks_.steps * partial_sums : positions;
    const int64_t most = block_limits().bytes / (of_chunk * chunks_.items * size_of(items.dtype())),
                  channels_at_once = std::clamp<int64_t>(most, 1, channels_),
                  chunks = std::max<int64_t>(most / channels_at_once, 1),
                  items_at_once = cut ? 1 : chunks * chunks_.items;
    Scratch copy;
    Array::Window window = items.whole();
    for (int64_t channel = 0; channel < channels_; channel += channels_at_once) {
        window[Array::channel] = {channel, 1, std::min(channels_at_once, channels_ - channel)};
        for (int64_t item = 0; item < batch; item += items_at_once) {
            window[Array::item] = {item, 1, std::min(items_at_once, batch - item)};
            for (int64_t in_item = 0; in_item < chunks_.in_item; in_item += cut ? chunks : 1) {
                const int64_t count = cut ? std::min(chunks, chunks_.in_item - in_item) : 1, begin = in_item * of_chunk;
                const Range range{begin, 1, std::min(count * of_chunk, positions - begin)};
                run(*entry_, copy_positions(items.window(window), range, problem_, copy),
                    {chunks_.steps, chunks_.items, count, 1}, sums_.front(),
                    first_chunk + item / chunks_.items * chunks_.in_item + in_item, channel);
            }
        }
    }
}

void PositionSums::add_until_few_are_left() {
    while (sums_.back().count > few) {
        const Sums &from = sums_.back();
        const Shape sizes = sizes_of(channels_, from.count);
        const PositionChunks chunks = unstride::chunks_of(1, from.count);
        Sums to = allocate(chunks.count());
        run(kernel_of_sums(*entry_),
            from.tensor ? Array(Device::cpu, from.tensor->view<void>(), 3, 1)
                        : Array(*from.on_gpu, dtype_, sizes, Layout::ndhwc, 1),
            chunks, to, 0);
        sums_.push_back(std::move(to));
    }
}

void PositionSums::store(const Sums &from, const Origin &to, int64_t stride, Update update,
                         const Stream &stream) const {
    const Origin chunks{stream.device, dtype_, from.tensor ? from.tensor->data<void>() : nullptr, from.on_gpu.get(), 0};
    add_chunks({chunks,
                to,
                from.count,
                {channels_, 1, 1, 1, 1, 1, 1},
                {1, 0, 0, 0, 0, 0, 0, channels_},
                {stride, 0, 0, 0, 0, 0, 0}},
               update, 1, stream);
}

void PositionSums::store(const Origin &to, int64_t stride, Update update) {
    add_until_few_are_left();
    store(sums_.back(), to, stride, update, stream_);
}

void PositionSums::store_from_process(const Origin &to, int64_t stride, Update update) {
    add_until_few_are_left();
    const Sums &last = sums_.back();
    if (last.tensor) {
        store(last, to, stride, update, stream_);
        return;
    }
    Sums copy{last.count, Tensor(sizes_of(channels_, std::max<int64_t>(last.count, 1)), Layout::ndhwc, 3, dtype_),
              nullptr};
    last.on_gpu->download(copy.tensor->data<void>());
    store(copy, to, stride, update, {});
}

}  // namespace unstride
