#include "unstride/conv_transpose3d.h"

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <utility>

#include "calls.h"
#include "checked.h"
#include "dense.h"
#include "device_array.h"
#include "device_tensor.h"
#include "driver.h"
#include "execute.h"
#include "initialize.h"
#include "machine.h"
#include "panels.h"
#include "plan_cache.h"
#include "planner.h"
#include "validation.h"
#include "winograd.h"
#include "wisdom.h"

namespace unstride {

struct ConvTranspose3d::State {
    ConvTranspose3dOptions options;
    std::vector<float> weight, bias;
    Device device = Device::cpu;
    int processors = 0;  // of a GPU
    Forced forced;
    mutable PlanCache plans;

    bool moderate = false;  // the weights

    // Panels by variant, range of channels and, on a GPU, context, packed when first needed. Variants of one block size share them.
    mutable std::mutex mutex;
    mutable std::map<std::array<int64_t, 7>, std::shared_ptr<const std::vector<Panels>>> packed;

    // What shares the work: threads, or a GPU's processors.
    int workers() const {
        return device == Device::cpu ? num_threads() : processors;
    }

    std::shared_ptr<const std::vector<Panels>> panels(const Geometry &geometry, const Part &part, const Queue &queue) const {
        const Variant &variant = part.entry->variant;
        const Geometry of_part = part_of(geometry, part);
        const std::lock_guard<std::mutex> lock(mutex);
        try {
            const int64_t all_outputs = channels_seen(geometry.channels, variant).outputs;
            auto &entry = packed[{channels_seen(geometry.channels, variant).groups, static_cast<int64_t>(algorithm_of(variant)), variant.block, part.first,
                                  part.channels, static_cast<int64_t>(queue.device), reinterpret_cast<int64_t>(queue.context)}];
            if (!entry) {
                entry = std::make_shared<const std::vector<Panels>>(queue.device == Device::cpu ? pack(of_part, variant, part.first, all_outputs, weight, bias)
                                                                                                : pack(queue, of_part, variant, weight, bias));
            }
            return entry;
        } catch (const std::bad_alloc &) {
            throw OutOfMemory("out of memory: could not keep the packed weights");
        }
    }

    std::shared_ptr<const Decision> decide(const Geometry &geometry, Layout layout, bool regular, int threads) const {
        const PlanCache::Key key = PlanCache::key(geometry, layout, regular, threads, wisdom_generation());
        std::shared_ptr<const Decision> decision = plans.find(key);
        if (!decision) {
            const bool applies = forced.entry != nullptr && forced.entry->variant.layout == layout;
            decision = std::make_shared<const Decision>(
                unstride::decide(options, geometry, device, layout, applies ? forced : Forced{}, regular, threads));
            plans.insert(key, decision);
        }
        return decision;
    }

    // Of a view that could be either.
    Layout preferred_layout() const {
        return forced.entry != nullptr ? forced.entry->variant.layout : Layout::ncdhw;
    }

    Geometry resolve_both(const Shape &input, const Shape &output) const;
    void compute(const Decision &decision, const Geometry &geometry, const Activation<const float> &input, const Activation<float> &output, const Queue &queue) const;
    void compute_arrays(const Geometry &geometry, Layout layout, const DeviceArray &input, const DeviceArray &output, const Queue &queue) const;
    void compute_copies(const Geometry &geometry, Layout layout, const View<const float> &input, const View<float> &output) const;
};

namespace {

Shape shape_of_output(const Geometry &geometry, size_t rank) {
    Shape shape{geometry.channels.groups * geometry.channels.outputs};
    for (const Extent &e : geometry.extent) {
        shape.push_back(e.output);
    }
    if (rank == 5) {
        shape.insert(shape.begin(), geometry.batch);
    }
    return shape;
}

// Of a view's channels in groups of `group_size`.
template<typename T>
Activation<T> activation(const View<T> &view, int64_t group_size) {
    const size_t channel = view.sizes.size() - 4;
    const Shape &s = view.strides;
    return {view.data, channel == 1 ? s[0] : 0, s[channel] * group_size, s[channel],
            s[channel + 1], s[channel + 2], s[channel + 3]};
}

// Whether a GPU can load four channels of ndhwc at once wherever a multiple of four begins: see needs_regular().
bool is_aligned(const View<const float> &view) {
    const size_t channels = view.sizes.size() - 4;
    for (size_t d = 0; d < view.sizes.size(); d++) {
        if (d != channels && view.sizes[d] > 1 && view.strides[d] % 4 != 0) {
            return false;
        }
    }
    return reinterpret_cast<uintptr_t>(view.data) % (4 * sizeof(float)) == 0;
}

}  // namespace

ConvTranspose3d::ConvTranspose3d(ConvTranspose3dOptions options)
    : state_(std::make_unique<State>()) {
    check_options(options);
    state_->options = std::move(options);
    try {
        state_->weight.resize(static_cast<size_t>(product(weight_shape())));
        state_->bias.resize(state_->options.bias ? static_cast<size_t>(state_->options.out_channels) : 0);
    } catch (const std::exception &) {  // bad_alloc or length_error
        throw OutOfMemory("out of memory: could not allocate the weights, of size " + to_string(weight_shape()));
    }
    reset_parameters(0);
}

ConvTranspose3d::ConvTranspose3d(int64_t in_channels, int64_t out_channels, Triple kernel_size, Triple stride, Triple padding,
                                 Triple output_padding, int64_t groups, bool bias, Triple dilation, std::string padding_mode)
    : ConvTranspose3d(ConvTranspose3dOptions{in_channels, out_channels, kernel_size, stride, padding, output_padding, groups,
                                             bias, dilation, std::move(padding_mode)}) {
}

ConvTranspose3d::~ConvTranspose3d() = default;
ConvTranspose3d::ConvTranspose3d(ConvTranspose3d &&) noexcept = default;
ConvTranspose3d &ConvTranspose3d::operator=(ConvTranspose3d &&) noexcept = default;

const ConvTranspose3dOptions &ConvTranspose3d::options() const {
    return state_->options;
}

void ConvTranspose3d::reset_parameters(uint64_t seed) {
    initialize(state_->options, seed, state_->weight, state_->bias);
    state_->moderate = are_moderate(state_->weight);
    state_->packed.clear();
}

void ConvTranspose3d::set_weight(const float *data, const Shape &shape) {
    check_weight(data, shape, weight_shape());
    state_->weight.assign(data, data + state_->weight.size());
    state_->moderate = are_moderate(state_->weight);
    state_->packed.clear();
}

void ConvTranspose3d::set_bias(const float *data, const Shape &shape) {
    check_bias(data, shape, bias_shape(), weight_shape());
    state_->bias.assign(data, data + state_->bias.size());
    state_->packed.clear();
}

const std::vector<float> &ConvTranspose3d::weight() const {
    return state_->weight;
}

const std::vector<float> &ConvTranspose3d::bias() const {
    return state_->bias;
}

Shape ConvTranspose3d::weight_shape() const {
    return unstride::weight_shape(state_->options);
}

Shape ConvTranspose3d::bias_shape() const {
    return state_->options.bias ? Shape{state_->options.out_channels} : Shape{};
}

Shape ConvTranspose3d::output_shape(const Shape &input_shape, const Shape &output_size) const {
    return shape_of_output(resolve(state_->options, input_shape, output_size), input_shape.size());
}

void ConvTranspose3d::State::compute(const Decision &decision, const Geometry &geometry, const Activation<const float> &input,
                                     const Activation<float> &output, const Queue &queue) const {
    for (const Part &part : decision.parts) {
        Activation<float> channels = output;
        channels.data += part.first * output.channel;  // of parts, of which a GPU has one
        execute(part, part_of(geometry, part), *panels(geometry, part, queue), input, channels, workers(), queue);
    }
}

// On a GPU, from one dense array to another.
void ConvTranspose3d::State::compute_arrays(const Geometry &geometry, Layout layout, const DeviceArray &input, const DeviceArray &output, const Queue &queue) const {
    const Channels &c = geometry.channels;
    const auto &[z, y, x] = geometry.extent;
    Activation<const float> source = activation(dense_view<const float>(nullptr, {geometry.batch, c.groups * c.inputs, z.input, y.input, x.input}, layout), c.inputs);
    Activation<float> target = activation(dense_view<float>(nullptr, {geometry.batch, c.groups * c.outputs, z.output, y.output, x.output}, layout), c.outputs);
    source.array = &input;
    target.array = &output;
    compute(*decide(geometry, layout, true, workers()), geometry, source, target, queue);
}

// On a GPU, through copies of as many items at a time as it takes in an array.
void ConvTranspose3d::State::compute_copies(const Geometry &geometry, Layout layout, const View<const float> &input, const View<float> &output) const {
    const Queue queue = queue_of(device);
    const View<const float> inputs = batched(input);
    const View<float> outputs = batched(output);
    Geometry items = geometry;
    for (int64_t first = 0; first < geometry.batch; first += items.batch) {
        items.batch = std::min(items_per_call(geometry, 0, 0), geometry.batch - first);
        const View<const float> from = items_of(inputs, first, items.batch);
        const View<float> to = items_of(outputs, first, items.batch);
        DeviceArray in(queue, items.input_elements()), out(queue, items.output_elements());
        if (is_dense(from, layout)) {
            in.upload(from.data);
        } else {
            Tensor dense(from.sizes, layout);
            copy_strided(from.data, from.strides, dense.data(), dense.view().strides, from.sizes);
            in.upload(dense.data());
        }
        compute_arrays(items, layout, in, out, queue);
        if (is_dense(to, layout)) {
            out.download(to.data);
        } else {
            Tensor dense(to.sizes, layout);
            out.download(dense.data());
            copy_strided<float>(dense.data(), dense.view().strides, to.data, to.strides, to.sizes);
        }
    }
}

// The output's shape chooses the output padding, if it can.
Geometry ConvTranspose3d::State::resolve_both(const Shape &input, const Shape &output) const {
    const Geometry geometry = resolve(options, input, {});
    return output.size() == input.size() && output != shape_of_output(geometry, input.size()) ? resolve(options, input, output) : geometry;
}

void ConvTranspose3d::forward(const View<const float> &input, const View<float> &output) const {
    const Geometry geometry = state_->resolve_both(input.sizes, output.sizes);
    const Layout layout = check_views(input, output, shape_of_output(geometry, input.sizes.size()), state_->preferred_layout());
    if (geometry.batch == 0) {
        return;
    }
    if (state_->device != Device::cpu) {
        state_->compute_copies(geometry, layout, input, output);
        return;
    }
    const int threads = state_->workers();
    const Activation<const float> source = activation(input, geometry.channels.inputs);
    std::shared_ptr<const Decision> decision = state_->decide(geometry, layout, state_->moderate, threads);
    if (uses(*decision, Algorithm::winograd) && !are_moderate(source, geometry, threads)) {
        decision = state_->decide(geometry, layout, false, threads);
    }
    state_->compute(*decision, geometry, source, activation(output, geometry.channels.outputs), {});
}

void ConvTranspose3d::forward(const View<const float> &input, const View<float> &output, CudaStream stream) const {
    const Geometry geometry = state_->resolve_both(input.sizes, output.sizes);
    const Layout layout = check_views(input, output, shape_of_output(geometry, input.sizes.size()), state_->preferred_layout());
    if (state_->device != Device::cuda) {
        throw InvalidArgument("a CudaStream is for layers on CUDA: see set_device");
    }
    if (geometry.batch > 0) {
        const Queue queue = queue_of(Device::cuda, stream);
        state_->compute(*state_->decide(geometry, layout, is_aligned(input), state_->workers()), geometry, activation(input, geometry.channels.inputs),
                        activation(output, geometry.channels.outputs), queue);
    }
}

void ConvTranspose3d::forward(const DeviceTensor &input, DeviceTensor &output) const {
    if (input.device() != state_->device || output.device() != state_->device) {
        throw InvalidArgument(std::string("the layer is on device ") + to_string(state_->device) + ", input and output on " + to_string(input.device()) + " and " + to_string(output.device()));
    }
    if (input.layout() != output.layout()) {
        throw InvalidArgument("input and output have different layouts");
    }
    const Geometry geometry = state_->resolve_both(input.sizes(), output.sizes());
    check_output_shape(output.sizes(), shape_of_output(geometry, input.sizes().size()));
    const Queue &queue = output.state_->array.queue();
    if (input.state_->array.queue().context != queue.context) {
        throw InvalidArgument("input and output are in different contexts of CUDA");
    }
    if (geometry.batch > 0) {
        state_->compute_arrays(geometry, input.layout(), input.state_->array, output.state_->array, queue);
    }
}

void ConvTranspose3d::set_device(Device device) {
    const int processors = describe(device).processors;
    state_->device = device;
    state_->processors = processors;
    state_->forced = {};
    state_->plans.clear();
}

Device ConvTranspose3d::device() const {
    return state_->device;
}

Tensor ConvTranspose3d::forward(const View<const float> &input, const Shape &output_size) const {
    const Shape shape = output_shape(input.sizes, output_size);
    Tensor output(shape, check_input(input, state_->preferred_layout()));
    forward(input, output.view());
    return output;
}

Plan ConvTranspose3d::plan(const Shape &input_shape, Layout layout, const Shape &output_size) const {
    const Geometry geometry = resolve(state_->options, input_shape, output_size);
    const int threads = state_->workers();
    const std::shared_ptr<const Decision> shared = state_->decide(geometry, layout, state_->device != Device::cpu || state_->moderate, threads);
    const Decision &decision = *shared;
    const int64_t item_input = geometry.input_elements() / std::max<int64_t>(geometry.batch, 1);
    const int64_t item_output = geometry.output_elements() / std::max<int64_t>(geometry.batch, 1);
    const int64_t slices = divide_up(geometry.batch, items_per_call(geometry, item_input, item_output));
    const Part &main = decision.parts.front();
    Plan plan{main.entry->variant, "", main.channels * geometry.channels.groups, decision.reason, threads, 0, main.split.rows, 0, 0, 0, 0, 0, 0, false};
    for (const Part &part : decision.parts) {
        const Variant &variant = part.entry->variant;
        plan.rest = &part == &main ? "" : variant.name;
        plan.tasks += part.split.tasks;
        plan.kernel_calls += slices * static_cast<int64_t>(sections_of_calls(geometry.extent[0], variant).size() * sections_of_calls(geometry.extent[1], variant).size() *
                                                           phases_of_calls(geometry.extent[2], variant).size());
        plan.packed_bytes += packed_bytes(part_of(geometry, part), variant);
        plan.scratch_bytes = std::max(plan.scratch_bytes, scratch_bytes(part, geometry, threads));
    }
    plan.multiply_adds = geometry.multiply_adds();
    plan.compulsory_bytes = sizeof(float) * static_cast<double>(geometry.input_elements() + geometry.weight_elements() + geometry.output_elements());
    plan.measured = decision.measured_seconds > 0;
    const double clock = state_->device == Device::cpu ? clock_hertz() : describe(state_->device).clock_hertz;
    const double cycles = state_->device == Device::cpu ? expected_cycles(decision, geometry, threads) : estimate(*main.entry, geometry, threads).total() / threads;
    plan.expected_seconds = plan.measured ? decision.measured_seconds : clock > 0 ? cycles / clock
                                                                                  : 0;
    return plan;
}

void ConvTranspose3d::set_variant(const std::string &name, int64_t rows_per_task) {
    const Entry *found = find_entry(name);
    if (found == nullptr && !name.empty()) {
        throw InvalidArgument("unknown variant: " + name);
    }
    if (found != nullptr && found->variant.device != state_->device) {
        throw InvalidArgument("variant " + name + " is for device " + to_string(found->variant.device) + ", and the layer on " + to_string(state_->device));
    }
    if (found != nullptr) {
        const std::string why_not = obstacle(found->variant, state_->options);
        if (!why_not.empty()) {
            throw InvalidArgument("variant " + name + " " + why_not);
        }
    }
    if (rows_per_task < 0 || (rows_per_task > 0 && found == nullptr)) {
        throw InvalidArgument("rows_per_task must not be negative, and goes with a variant");
    }
    state_->forced = {found, rows_per_task};
    state_->plans.clear();
}

}  // namespace unstride
