#include "execute.h"

#include <HalideRuntime.h>

#include <algorithm>
#include <array>
#include <limits>

#include "calls.h"
#include "checked.h"
#include "kernel_call.h"
#include "planner.h"

namespace unstride {
namespace {

// Where a buffer begins: so many elements from the start of an array of a GPU's or, where there is none, from a pointer of the process's memory,
// or of CUDA's.
struct Place {
    Device device;
    const float *data;
    const DeviceArray *array;
    int64_t offset;
};

// A halide_buffer_t with its dimensions, innermost first.
template<size_t Rank>
class Buffer {
public:
    Buffer(const Place &place, const std::array<int64_t, Rank> &extents, const std::array<int64_t, Rank> &strides) {
        constexpr int64_t most = std::numeric_limits<int32_t>::max();
        int64_t elements = 1;
        for (size_t d = 0; d < Rank; d++) {
            const int64_t extent = std::max<int64_t>(extents[d], 1);
            elements = multiply(elements, extent);
            if (elements > most || multiply(extent, strides[d]) > most) {
                throw InvalidArgument("arrays that reach over more than 2^31 - 1 elements, apart from the batch, are not supported");
            }
            dimensions_[d] = halide_dimension_t(0, static_cast<int32_t>(extents[d]), static_cast<int32_t>(strides[d]));
        }
        if (place.array != nullptr) {
            place.array->describe(buffer_, place.offset);
        } else if (place.device == Device::cuda) {
            describe_cuda_memory(buffer_, place.data + place.offset);
        } else {
            buffer_.host = reinterpret_cast<uint8_t *>(const_cast<float *>(place.data + place.offset));  // kernels do not write to their inputs
        }
        buffer_.type = halide_type_of<float>();
        buffer_.dimensions = Rank;
        buffer_.dim = dimensions_.data();
    }
    Buffer(const Buffer &) = delete;
    Buffer &operator=(const Buffer &) = delete;

    // Makes a dimension the first one, and keeps the order of the others.
    void put_first(size_t dimension) {
        std::rotate(dimensions_.begin(), dimensions_.begin() + dimension, dimensions_.begin() + dimension + 1);
    }

    halide_buffer_t *get() {
        return &buffer_;
    }

private:
    std::array<halide_dimension_t, Rank> dimensions_;
    halide_buffer_t buffer_{};
};

// Blocks of threads along the second and third dimension of a grid: phases times items, and blocks of channels times groups.
constexpr int64_t grid_limit = 65535;

// Where a caller's view has one element along a dimension, its stride there does not matter, and may be anything: a kernel sees `otherwise`.
template<size_t Rank>
std::array<int64_t, Rank> strides_that_matter(const std::array<int64_t, Rank> &extents, std::array<int64_t, Rank> strides, int64_t otherwise = 1) {
    for (size_t d = 0; d < Rank; d++) {
        strides[d] = extents[d] > 1 ? strides[d] : otherwise;
    }
    return strides;
}

}  // namespace

int64_t items_per_call(const Geometry &geometry, int64_t input_item_stride, int64_t output_item_stride) {
    const int64_t items = std::max<int64_t>(geometry.batch, 1);
    const auto stride = std::max<int64_t>({input_item_stride, output_item_stride, geometry.input_elements() / items,
                                           geometry.output_elements() / items, 1});
    return std::clamp<int64_t>(std::numeric_limits<int32_t>::max() / stride, 1, items);
}

void execute(const Part &part, const Geometry &geometry, const std::vector<Panels> &all_panels, const Activation<const float> &input,
             const Activation<float> &output, int threads, const Queue &queue) {
    const Variant &variant = part.entry->variant;
    const Extent &x = geometry.extent[2];
    const auto [groups, inputs, outputs] = channels_seen(geometry.channels, variant);
    const int64_t group_inputs = geometry.depthwise() ? outputs : inputs;  // a depthwise kernel reads one for each output

    const auto call = [&, groups = groups, inputs = inputs, outputs = outputs](int64_t item, int64_t batch, const Section &z, const Section &y, const Phases &phases) {
        const Panels &panels = all_panels[static_cast<size_t>(panels_of_phase(geometry, variant, z.phase, y.phase))];
        const int64_t panel = inputs * panels.block;                     // of one tap
        const bool all_taps = algorithm_of(variant) == Algorithm::taps;  // along y and x in one panel
        const int64_t row = panel * (all_taps ? 1 : x.kernel), slice = row * (all_taps ? 1 : y.kernel);
        Buffer<7> weight({queue.device, panels.weight.get(), panels.device_weight.get(), 0}, {panels.block, inputs, x.kernel, y.kernel, z.kernel, panels.blocks, groups},
                         {1, panels.block, all_taps ? 0 : panel, all_taps ? 0 : row, slice, slice * z.kernel, slice * z.kernel * panels.blocks});
        const int64_t biases = all_taps ? outputs : panels.blocks * panels.block;
        Buffer<2> bias({queue.device, panels.bias.get(), panels.device_bias.get(), 0}, {biases, groups}, {1, biases});
        const std::array<int64_t, 6> in_extents{x.input, y.inputs, z.inputs, group_inputs, groups, batch};
        Buffer<6> in({queue.device, input.data, input.array, item * input.batch + z.input_first * input.depth + y.input_first * input.height}, in_extents,
                     strides_that_matter(in_extents, {input.width, input.height * y.input_step, input.depth * z.input_step, input.channel, input.group, input.batch}, variant.family == "quads" ? 4 : 1));
        const std::array<int64_t, 7> out_extents{phases.columns, phases.count, y.outputs, z.outputs, outputs, groups, batch};
        Buffer<7> out({queue.device, output.data, output.array, item * output.batch + z.first * output.depth + y.first * output.height + phases.first * output.width}, out_extents,
                      strides_that_matter(out_extents, {output.width * phases.step, output.width, output.height * y.step,
                                                        output.depth * z.step, output.channel, output.group, output.batch}));
        if (part.entry->autoscheduled && variant.layout == Layout::ndhwc) {
            in.put_first(3);
            out.put_first(4);
        }
        const auto narrow = [](int64_t value) {
            return static_cast<int32_t>(value);
        };
        const Split &split = part.split;
        KernelCall call(threads, split.share_items, queue);
        call.check(part.entry->kernel(&call, in.get(), weight.get(), bias.get(),                                              //
                                      narrow(x.axis.padding + phases.first), narrow(y.axis.padding), narrow(z.axis.padding),  //
                                      narrow(x.axis.dilation), narrow(y.axis.dilation), narrow(z.axis.dilation),              //
                                      narrow(x.axis.stride), narrow(y.axis.stride), narrow(z.axis.stride),                    //
                                      narrow(x.axis.common), narrow(y.axis.common), narrow(z.axis.common),                    //
                                      narrow(x.axis.inverse), narrow(y.axis.inverse), narrow(z.axis.inverse),                 //
                                      narrow(split.rows), narrow(split.slices), narrow(split.items), narrow(split.blocks), out.get()));
    };

    int64_t items = items_per_call(geometry, input.batch, output.batch);
    if (queue.device != Device::cpu) {
        items = std::min(items, grid_limit / x.axis.stride);
        if (queue.device == Device::opencl && items < geometry.batch) {
            throw InvalidArgument("more than " + std::to_string(items) + " items of this size are not supported with OpenCL");
        }
        if (product({divide_up(outputs, variant.block), groups}) > grid_limit) {
            throw InvalidArgument("more than 65535 blocks of output channels are not supported on a GPU");
        }
    }
    for (int64_t item = 0; item < geometry.batch; item += items) {
        for (const Section &z : sections_of_calls(geometry.extent[0], variant)) {
            for (const Section &y : sections_of_calls(geometry.extent[1], variant)) {
                for (const Phases &phases : phases_of_calls(x, variant)) {
                    call(item, std::min(items, geometry.batch - item), z, y, phases);
                }
            }
        }
    }
}

}  // namespace unstride
