#include "run/weight_gradient.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <exception>
#include <functional>
#include <variant>

#include "array/copy.h"
#include "array/memory.h"
#include "array/scratch.h"
#include "device/kernel_call.h"
#include "process/mutex.h"
#include "process/thread_pool.h"
#include "run/block_limits.h"
#include "run/weight_store.h"

namespace unstride {
namespace {

constexpr const char *purpose = "the partial sums of a weight gradient";

// Calls task(i, thread) for each i below `count`, in up to `threads` threads, and throws the first exception of a task.
void run_tasks(int64_t count, int threads, const std::function<void(int64_t, int)> &task) {
    std::atomic<int64_t> next{0};
    std::atomic<int> next_thread{0};
    Mutex mutex;
    std::exception_ptr failure;
    in_threads(static_cast<int>(std::min<int64_t>(threads, count)), [&] {
        const int thread = next_thread++;
        try {
            for (int64_t i = next++; i < count; i = next++) {
                task(i, thread);
            }
        } catch (...) {
            next = count;
            const Lock lock(mutex);
            failure = failure ? failure : std::current_exception();
        }
    });
    if (failure) {
        std::rethrow_exception(failure);
    }
}

// What a task sums up: one chunk of some blocks of weights.
struct Share {
    int64_t chunk, group;
    Range lanes, others;
};

// Sums of the blocks of a share, in memory: those of neighbouring lanes lie one after the other.
struct ShareSums {
    char *first;
    int64_t other_stride;  // bytes between blocks of others
};

// Sums up chunks in the threads of a call.
class ChunkSums {
public:
    ChunkSums(const WeightGradientProgram &program, const Problem &problem, const Array &input,
              const Array &grad_output)
        : p_(program), geometry_(problem.geometry), input_(input.grouped(program.seen.groups)),
          grad_output_(grad_output.grouped(program.seen.groups)), type_(program.entry->variant.types.sums()),
          most_elements_(block_limits().elements) {
    }

    Share share(int64_t task) const {
        const auto take = [&](int64_t count) {
            const int64_t digit = task % count;
            task /= count;
            return digit;
        };
        const auto blocks = [&](int64_t each, int64_t all) {
            const int64_t which = take(divide_up(all, each));
            return Range{which * each, 1, std::min(each, all - which * each)};
        };
        const Range others = blocks(p_.other_share, p_.tiles.other_blocks),
                    lanes = blocks(p_.lane_share, p_.tiles.lane_blocks);
        const int64_t group = take(p_.seen.groups);
        return {task, group, lanes, others};
    }

    void sum(const Share &share, const ShareSums &sums) const {
        const auto bytes = static_cast<size_t>(share.lanes.count * p_.tiles.block_elements() * size_of(type_));
        for (int64_t i = 0; i < share.others.count; i++) {
            std::memset(sums.first + i * sums.other_stride, 0, bytes);
        }
        const Range runs = p_.order.runs_of(share.chunk);
        Copies copies;
        for (int64_t run = runs.first; run < runs.first + runs.count; run++) {
            add_run(p_.order.box(run), share, sums, copies);
        }
    }

private:
    // Where a task copies what a run reads of arrays that kernels cannot take as they are.
    struct Copies {
        Scratch input, grad_output;
    };

    // Returns a part of an array as it is, or a copy.
    Array for_kernel(const Array &part, Scratch &copy) const {
        const Layout layout = p_.entry->variant.layout;
        if (part.fits_kernels(layout, most_elements_)) {
            return part;
        }
        const Array dense = copy.like(part, layout);
        copy_elements(part, dense, 1);
        return dense;
    }

    // The channels of blocks of `width` channels.
    static Range channels_of(const Range &blocks, int64_t width, int64_t channels) {
        const int64_t first = blocks.first * width;
        return {first, 1, std::min(blocks.count * width, channels - first)};
    }

    Range input_channels(const Range &lanes, const Range &others) const {
        return p_.tiles.family == Family::outputs ? channels_of(others, p_.tiles.others, p_.seen.inputs)
                                                  : channels_of(lanes, p_.tiles.lanes, input_.extent(Array::channel));
    }
    Range output_channels(const Range &lanes, const Range &others) const {
        return p_.tiles.family == Family::inputs ? others : channels_of(lanes, p_.tiles.lanes, p_.seen.outputs);
    }

    void add_run(const Box &box, const Share &share, const ShareSums &sums, Copies &copies) const {
        const Range &lanes = share.lanes, &others = share.others;
        const auto &[items, slices, rows, columns] = box;
        const auto &[ez, ey, ex] = geometry_.extent;
        const Meeting z = meeting_of(ez, slices), y = meeting_of(ey, rows), x = meeting_of(ex, columns);
        if (z.outputs.count <= 0 || y.outputs.count <= 0 || x.outputs.count <= 0) {
            return;  // no tap meets an output
        }
        const auto part = [&, of_items = items](const Array &array, const Range &from_x, const Range &from_y,
                                                const Range &from_z, const Range &channels) {
            Array::Window window = array.whole();
            window[Array::column] = from_x;
            window[Array::row] = from_y;
            window[Array::slice] = from_z;
            window[Array::channel] = channels;
            window[Array::group] = {share.group, 1, 1};
            window[Array::item] = of_items;
            return array.window(window);
        };
        KernelBuffer<6> input =
            for_kernel(part(input_, columns, rows, slices, input_channels(lanes, others)), copies.input).as_input(1);
        KernelBuffer<6> grad_output =
            for_kernel(part(grad_output_, x.outputs, y.outputs, z.outputs, output_channels(lanes, others)),
                       copies.grad_output)
                .as_input(1);
        const ProductTiles &t = p_.tiles;
        const int64_t tile = t.lanes * t.others, block = t.block_elements();
        KernelBuffer<7> partial({Device::cpu, type_, sums.first, nullptr, 0},
                                {t.lanes, t.others, t.taps[0], t.taps[1], t.taps[2], lanes.count, others.count},
                                {1, t.lanes, tile, tile * t.taps[0], tile * t.taps[0] * t.taps[1], block,
                                 sums.other_stride / size_of(type_)});
        const auto narrow = [](int64_t value) { return static_cast<int32_t>(value); };
        KernelCall call(1, KernelCall::Shared::tasks, Stream{});
        call.check(std::get<WeightGradientKernel>(p_.entry->kernel)(
            call.context(), input.get(), grad_output.get(),                                //
            narrow(x.padding), narrow(y.padding), narrow(z.padding),                       //
            narrow(ex.axis.dilation), narrow(ey.axis.dilation), narrow(ez.axis.dilation),  //
            narrow(ex.axis.stride), narrow(ey.axis.stride), narrow(ez.axis.stride),        //
            narrow(ex.kernel), narrow(ey.kernel), narrow(ez.kernel), partial.get()));
    }

    const WeightGradientProgram &p_;
    const Geometry &geometry_;
    const Array input_, grad_output_;
    const DType type_;
    const int64_t most_elements_;
};

// Sums up the only chunk share by share, each of which is stored as soon as it is done: its sums stay in the cache.
void compute_in_one_chunk(const WeightGradientProgram &p, const ChunkSums &sums, const WeightStore &store, DType type,
                          int threads) {
    const int64_t elements = p.share_elements();
    const Memory own(allocate(p.partial_elements(threads), type, purpose));
    run_tasks(p.tasks(), threads, [&](int64_t task, int thread) {
        const Share share = sums.share(task);
        char *const first = static_cast<char *>(own.get()) + thread * elements * size_of(type);
        const int64_t block = p.tiles.block_elements() * size_of(type), other_stride = share.lanes.count * block;
        sums.sum(share, {first, other_stride});
        for (int64_t other = 0; other < share.others.count; other++) {
            store.store({share.group, share.lanes, share.others.first + other}, {first + other * other_stride, 1, 0});
        }
    });
}

// Sums up each chunk in an array of its own, and then adds these up.
void compute_in_chunks(const WeightGradientProgram &p, const ChunkSums &sums, const WeightStore &store, DType type,
                       int threads) {
    const ProductTiles &tiles = p.tiles;
    const Memory partial(allocate(p.partial_elements(threads), type, purpose));
    const auto at = [&](int64_t chunk, int64_t group, int64_t lane, int64_t other) {
        const int64_t blocks = other * tiles.lane_blocks + lane;
        const int64_t element = (chunk * p.seen.groups + group) * tiles.elements() + blocks * tiles.block_elements();
        return static_cast<char *>(partial.get()) + element * size_of(type);
    };
    run_tasks(p.tasks(), threads, [&](int64_t task, int /*thread*/) {
        const Share share = sums.share(task);
        sums.sum(share, {at(share.chunk, share.group, share.lanes.first, share.others.first),
                         tiles.lane_blocks * tiles.block_elements() * size_of(type)});
    });
    run_tasks(p.seen.groups * tiles.other_blocks * tiles.lane_blocks, threads, [&](int64_t block, int /*thread*/) {
        const int64_t lane = block % tiles.lane_blocks, other = block / tiles.lane_blocks % tiles.other_blocks,
                      group = block / tiles.lane_blocks / tiles.other_blocks;
        store.store({group, {lane, 1, 1}, other},
                    {at(0, group, lane, other), p.order.chunks, p.seen.groups * tiles.elements()});
    });
}

}  // namespace

void compute_weight_gradient(const WeightGradientProgram &program, const Problem &problem, const Array &input,
                             const Array &grad_output, const View<void> &grad_weight, Update update) {
    const ChunkSums sums(program, problem, input, grad_output);
    const WeightStore store(program, problem, grad_weight, update);
    const auto compute = program.order.chunks == 1 ? compute_in_one_chunk : compute_in_chunks;
    compute(program, sums, store, program.entry->variant.types.sums(), problem.threads);
}

}  // namespace unstride
