#include "unstride/conv_transpose3d.h"

#include <algorithm>
#include <utility>

#include "calls.h"
#include "checked.h"
#include "initialize.h"
#include "state.h"
#include "validation.h"
#include "winograd.h"

namespace unstride {

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

void ConvTranspose3d::set_device(Device device) {
    const int processors = device == Device::cpu ? 0 : device_info(device).processors;
    state_->device = device;
    state_->processors = processors;
    state_->forced = {};
    state_->plans.clear();
}

Device ConvTranspose3d::device() const {
    return state_->device;
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
    const double clock = device_info(state_->device).clock_hertz;
    if (plan.measured) {
        plan.expected_seconds = decision.measured_seconds;
    } else if (clock > 0) {
        plan.expected_seconds = expected_cycles(decision, geometry, threads) / clock;
    }
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
