#include "run/weight_gradient.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <exception>
#include <functional>
#include <variant>
#include <vector>

#include "array/memory.h"
#include "device/kernel_call.h"
#include "process/mutex.h"
#include "process/thread_pool.h"

namespace unstride {
namespace {

// Calls task(i) for each i below `count`, in up to `threads` threads, and throws the first exception of a task.
void run_tasks(int64_t count, int threads, const std::function<void(int64_t)> &task) {
    std::atomic<int64_t> next{0};
    Mutex mutex;
    std::exception_ptr failure;
    in_threads(static_cast<int>(std::min<int64_t>(threads, count)), [&] {
        try {
            for (int64_t i = next++; i < count; i = next++) {
                task(i);
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

// Sums up chunks in the threads of a call.
class ChunkSums {
public:
    ChunkSums(const WeightGradientProgram &program, const Problem &problem, const Array &input,
              const Array &grad_output, char *partial)
        : p_(program), geometry_(problem.geometry), input_(input.grouped(program.seen.groups)),
          grad_output_(grad_output.grouped(program.seen.groups)), partial_(partial),
          type_(program.entry->variant.types.sums()) {
    }

    // Sums up one task's share of the weights.
    void task(int64_t number) const {
        const ProductTiles &tiles = p_.tiles;
        const int64_t lane_shares = divide_up(tiles.lane_blocks, p_.lane_share),
                      other_shares = divide_up(tiles.other_blocks, p_.other_share);
        const auto take = [&](int64_t count) {
            const int64_t digit = number % count;
            number /= count;
            return digit;
        };
        const auto share = [](int64_t which, int64_t each, int64_t all) {
            return Range{which * each, 1, std::min(each, all - which * each)};
        };
        const Range others = share(take(other_shares), p_.other_share, tiles.other_blocks),
                    lanes = share(take(lane_shares), p_.lane_share, tiles.lane_blocks);
        const int64_t group = take(p_.seen.groups), chunk = number;
        char *const sums = first_of(chunk, group, lanes, others);
        clear(sums, lanes, others);
        const Range runs = p_.order.runs_of(chunk);
        for (int64_t run = runs.first; run < runs.first + runs.count; run++) {
            add_run(p_.order.box(run), group, lanes, others, sums);
        }
    }

private:
    char *first_of(int64_t chunk, int64_t group, const Range &lanes, const Range &others) const {
        const int64_t blocks = others.first * p_.tiles.lane_blocks + lanes.first;
        const int64_t element =
            (chunk * p_.seen.groups + group) * p_.tiles.elements() + blocks * p_.tiles.block_elements();
        return partial_ + element * size_of(type_);
    }

    void clear(char *sums, const Range &lanes, const Range &others) const {
        const int64_t block = p_.tiles.block_elements() * size_of(type_);
        for (int64_t i = 0; i < others.count; i++) {
            std::memset(sums + i * p_.tiles.lane_blocks * block, 0, static_cast<size_t>(lanes.count * block));
        }
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

    void add_run(const Box &box, int64_t group, const Range &lanes, const Range &others, char *sums) const {
        const auto &[items, slices, rows, columns] = box;
        const auto &[ez, ey, ex] = geometry_.extent;
        const Meeting z = meeting_of(ez, slices), y = meeting_of(ey, rows), x = meeting_of(ex, columns);
        if (z.outputs.count <= 0 || y.outputs.count <= 0 || x.outputs.count <= 0) {
            return;  // no tap meets an output
        }
        const auto part = [&](const Array &array, const Range &from_x, const Range &from_y, const Range &from_z,
                              const Range &channels) {
            Array::Window window = array.whole();
            window[Array::column] = from_x;
            window[Array::row] = from_y;
            window[Array::slice] = from_z;
            window[Array::channel] = channels;
            window[Array::group] = {group, 1, 1};
            window[Array::item] = items;
            return array.window(window);
        };
        KernelBuffer<6> input = part(input_, columns, rows, slices, input_channels(lanes, others)).as_input(1);
        KernelBuffer<6> grad_output =
            part(grad_output_, x.outputs, y.outputs, z.outputs, output_channels(lanes, others)).as_input(1);
        const ProductTiles &t = p_.tiles;
        const int64_t tile = t.lanes * t.others, block = t.block_elements();
        KernelBuffer<7> partial(
            {Device::cpu, type_, sums, nullptr, 0},
            {t.lanes, t.others, t.taps[0], t.taps[1], t.taps[2], lanes.count, others.count},
            {1, t.lanes, tile, tile * t.taps[0], tile * t.taps[0] * t.taps[1], block, block * t.lane_blocks});
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
    char *const partial_;
    const DType type_;
};

// Adds up the arrays of all chunks in order, and stores them. Sum is the type of the arrays, T that of the gradient.
template<typename Sum, typename T>
class Result {
public:
    Result(const WeightGradientProgram &program, const Problem &problem, const Sum *partial, const View<void> &gradient,
           Update update)
        : p_(program), geometry_(problem.geometry), partial_(partial), gradient_(gradient), update_(update) {
        for (int64_t kx = 0; kx < geometry_.extent[2].kernel; kx++) {
            taps_x_.push_back(p_.tiles.place_of_tap_x(kx));
        }
    }

    int64_t blocks() const {
        return divide_up(geometry_.channels.outputs, block);
    }

    // Stores the weights of an input channel, which is counted through all groups, and a block of output channels.
    void store(int64_t input, int64_t output_block) const {
        const Channels &channels = geometry_.channels;
        const bool is_diagonal = p_.tiles.family == Family::diagonal;
        const int64_t group = input / channels.inputs, first = output_block * block;
        const auto count = static_cast<size_t>(std::min(block, channels.outputs - first));
        std::array<int64_t, block> places{}, elements{};  // of the first taps, in `partial_` and in the gradient
        for (size_t i = 0; i < count; i++) {
            const int64_t output = first + static_cast<int64_t>(i);
            places[i] = is_diagonal ? p_.tiles.place(group, group)
                                    : group * p_.tiles.elements() + p_.tiles.place(input % channels.inputs, output);
            elements[i] = input * gradient_.strides[0] + output * gradient_.strides[1];
        }
        const auto &[z, y, x] = geometry_.extent;
        for (int64_t kz = 0; kz < z.kernel; kz++) {
            for (int64_t ky = 0; ky < y.kernel; ky++) {
                for (int64_t kx = 0; kx < x.kernel; kx++) {
                    const int64_t place =
                        taps_x_[static_cast<size_t>(kx)] + (kz * y.kernel + ky) * p_.tiles.tap_y_stride();
                    const int64_t element =
                        kz * gradient_.strides[2] + ky * gradient_.strides[3] + kx * gradient_.strides[4];
                    for (size_t i = 0; i < count; i++) {
                        store(sum_at(places[i] + place), elements[i] + element);
                    }
                }
            }
        }
    }

private:
    static constexpr int64_t block = 16;  // output channels, which are neighbours in the arrays of chunks

    Sum sum_at(int64_t place) const {
        const int64_t chunk = p_.seen.groups * p_.tiles.elements();
        Sum sum = 0;
        for (int64_t t = 0; t < p_.order.chunks; t++) {
            sum += partial_[t * chunk + place];
        }
        return sum;
    }

    void store(Sum sum, int64_t offset) const {
        T *const element = static_cast<T *>(gradient_.data) + offset;
        if (update_ == Update::accumulate) {
            sum += static_cast<Sum>(*element);
        }
        *element = static_cast<T>(sum);
    }

    const WeightGradientProgram &p_;
    const Geometry &geometry_;
    const Sum *const partial_;
    const View<void> &gradient_;
    const Update update_;
    std::vector<int64_t> taps_x_;
};

}  // namespace

void compute_weight_gradient(const WeightGradientProgram &program, const Problem &problem, const Array &input,
                             const Array &grad_output, const View<void> &grad_weight, Update update) {
    const DType type = program.entry->variant.types.sums();
    const Memory partial(allocate(program.partial_elements(), type, "the partial sums of a weight gradient"));
    const ChunkSums sums(program, problem, input, grad_output, static_cast<char *>(partial.get()));
    run_tasks(program.tasks(), problem.threads, [&](int64_t number) { sums.task(number); });
    const auto finish = [&](const auto &result) {
        const int64_t inputs = problem.geometry.channels.groups * problem.geometry.channels.inputs;
        run_tasks(inputs * result.blocks(), problem.threads,
                  [&](int64_t i) { result.store(i / result.blocks(), i % result.blocks()); });
    };
    if (type == DType::f64) {
        finish(
            Result<double, double>(program, problem, static_cast<const double *>(partial.get()), grad_weight, update));
        return;
    }
    with_type(grad_weight.dtype, [&](auto *null) {
        using T = std::remove_pointer_t<decltype(null)>;
        if constexpr (!std::is_same_v<T, double>) {
            finish(Result<float, T>(program, problem, static_cast<const float *>(partial.get()), grad_weight, update));
        }
    });
}

}  // namespace unstride
