#include "unstride/conv_transpose.h"

#include <algorithm>
#include <utility>

#include "checks/checks.h"
#include "device/machine.h"
#include "kernels/calls.h"
#include "kernels/fold.h"
#include "layer/initialize.h"
#include "layer/state.h"
#include "problem/checked.h"
#include "problem/dimensions.h"
#include "process/float_environment.h"

namespace unstride {
namespace {

// What ConvTranspose::plan says of a decision, on the machine that it was made for.
Plan plan_of(const Decision &decision, const Geometry &geometry, const Types &types, const Machine &machine) {
    const int64_t item_input = geometry.input_elements() / std::max<int64_t>(geometry.batch, 1);
    const int64_t item_output = geometry.output_elements() / std::max<int64_t>(geometry.batch, 1);
    const int64_t slices = divide_up(geometry.batch, items_per_call(geometry, item_input, item_output));
    const Part &main = decision.parts.front();
    Plan plan{};
    plan.variant = main.entry->variant;
    plan.channels = main.channels * geometry.channels.groups;
    plan.reason = decision.reason;
    plan.threads = machine.threads;
    plan.rows_per_task = main.split.rows;
    for (const Part &part : decision.parts) {
        const Variant &variant = part.entry->variant;
        plan.rest = &part == &main ? "" : variant.name;
        plan.tasks += part.split.tasks;
        for (const Piece &piece : pieces_of(geometry, variant)) {
            const auto &[z, y, x] = piece.geometry.extent;
            plan.kernel_calls += slices * static_cast<int64_t>(sections_of_calls(z, variant).size() *
                                                               sections_of_calls(y, variant).size() *
                                                               phases_of_calls(x, variant).size());
        }
        plan.packed_bytes += packed_bytes(part_of(geometry, part), variant);
        plan.scratch_bytes = std::max(plan.scratch_bytes, unstride::scratch_bytes(part, geometry, machine.threads));
    }
    plan.multiply_adds = geometry.multiply_adds();
    plan.compulsory_bytes = static_cast<double>(geometry.input_elements() * size_of(types.input) +
                                                geometry.weight_elements() * size_of(types.sums()) +
                                                geometry.output_elements() * size_of(types.output));
    plan.measured = decision.measured_seconds > 0;
    if (plan.measured) {
        plan.expected_seconds = decision.measured_seconds;
    } else if (machine.clock_hertz > 0) {
        plan.expected_seconds = expected_cycles(decision, geometry, machine) / machine.clock_hertz;
    }
    return plan;
}

// What a plan is for: an empty batch may have no space, which leaves nothing to plan with.
Geometry with_space(Geometry geometry) {
    for (Extent &e : geometry.extent) {
        e.input = std::max<int64_t>(e.input, 1);
        e.output = std::max<int64_t>(e.output, 1);
    }
    return geometry;
}

}  // namespace

ConvTranspose::ConvTranspose(ConvTranspose3dOptions options, int spatial) : state_(std::make_unique<State>()) {
    check_options(options, spatial);
    state_->options = std::move(options);
    state_->spatial = spatial;
    try {
        state_->parameters.weight.floats_to_write().resize(static_cast<size_t>(product(weight_shape())));
        state_->parameters.bias.floats_to_write().resize(
            state_->options.bias ? static_cast<size_t>(state_->options.out_channels) : 0);
    } catch (const std::exception &) {  // bad_alloc or length_error
        throw OutOfMemory("out of memory: could not allocate the weights, of size " + to_string(weight_shape()));
    }
    reset_parameters(0);
}

ConvTranspose::~ConvTranspose() = default;
ConvTranspose::ConvTranspose(ConvTranspose &&) noexcept = default;
ConvTranspose &ConvTranspose::operator=(ConvTranspose &&) noexcept = default;

const ConvTranspose3dOptions &ConvTranspose::options() const {
    return state_->options;
}

int ConvTranspose::spatial() const {
    return state_->spatial;
}

void ConvTranspose::reset_parameters(uint64_t seed) {
    const DefaultFloatEnvironment environment;
    Parameters &p = state_->parameters;
    initialize(state_->options, seed, p.weight.floats_to_write(), p.bias.floats_to_write());
    state_->weight_is_set();
}

template<typename T>
void ConvTranspose::set_weight(const T *data, const Shape &shape) {
    check_weight(data, shape, weight_shape());
    const DefaultFloatEnvironment environment;
    Numbers &weight = state_->parameters.weight;
    weight.assign(data, weight.floats().size());
    state_->weight_is_set();
}

template<typename T>
void ConvTranspose::set_bias(const T *data, const Shape &shape) {
    check_bias(data, shape, bias_shape(), weight_shape());
    const DefaultFloatEnvironment environment;
    Numbers &bias = state_->parameters.bias;
    bias.assign(data, bias.floats().size());
    state_->packed.clear();
}

template void ConvTranspose::set_weight(const float *, const Shape &);
template void ConvTranspose::set_weight(const double *, const Shape &);
template void ConvTranspose::set_weight(const Half *, const Shape &);
template void ConvTranspose::set_weight(const BFloat16 *, const Shape &);
template void ConvTranspose::set_bias(const float *, const Shape &);
template void ConvTranspose::set_bias(const double *, const Shape &);
template void ConvTranspose::set_bias(const Half *, const Shape &);
template void ConvTranspose::set_bias(const BFloat16 *, const Shape &);

const std::vector<float> &ConvTranspose::weight() const {
    return state_->parameters.weight.floats();
}

const std::vector<float> &ConvTranspose::bias() const {
    return state_->parameters.bias.floats();
}

std::vector<double> ConvTranspose::exact_weight() const {
    return state_->parameters.weight.doubles();
}

std::vector<double> ConvTranspose::exact_bias() const {
    return state_->parameters.bias.doubles();
}

void ConvTranspose::set_activation(Activation activation) {
    check_activation(activation, state_->options.out_channels);
    FormulaParameters parameters = parameters_of(activation, state_->options.out_channels);
    if (parameters != state_->parameters.formula) {
        state_->parameters.formula = std::move(parameters);
        state_->packed.clear();
    }
    state_->activation = std::move(activation);
}

const Activation &ConvTranspose::activation() const {
    return state_->activation;
}

Shape ConvTranspose::weight_shape() const {
    return unstride::weight_shape(state_->options, state_->spatial);
}

Shape ConvTranspose::bias_shape() const {
    return state_->options.bias ? Shape{state_->options.out_channels} : Shape{};
}

Shape ConvTranspose::output_shape(const Shape &input_shape, const Shape &output_size) const {
    return shape_of_output(resolve(state_->options, input_shape, output_size, spatial()), input_shape.size(),
                           spatial());
}

void ConvTranspose::set_device(Device device) {
    const int processors = device == Device::cpu ? 0 : device_info(device).processors;
    state_->device = device;
    state_->processors = processors;
    state_->forced = {};
    state_->plans.clear();
}

Device ConvTranspose::device() const {
    return state_->device;
}

Plan ConvTranspose::plan(const Shape &input_shape, Layout layout, const Shape &output_size, const Types &types) const {
    check_types(types);
    const Geometry geometry = with_space(resolve(state_->options, input_shape, output_size, spatial()));
    Machine machine = untimed_machine(state_->workers());
    machine.clock_hertz = device_info(state_->device).clock_hertz;
    return plan_of(*state_->decide(geometry, layout, types, {}, machine.threads), geometry, types, machine);
}

Plan ConvTranspose::plan(const Shape &input_shape, Layout layout, const Shape &output_size, const Types &types,
                         const Machine &machine) const {
    check_types(types);
    check_machine(machine);
    if (state_->device != Device::cpu) {
        throw InvalidArgument(std::string("a machine is for layers on the CPU, and this one is on ") +
                              to_string(state_->device));
    }
    const Geometry geometry = with_space(resolve(state_->options, input_shape, output_size, spatial()));
    return plan_of(state_->decide_on(machine, geometry, layout, types, {}), geometry, types, machine);
}

void ConvTranspose::set_variant(const std::string &name, int64_t rows_per_task) {
    const Entry *found = find_entry(name);
    if (found == nullptr && !name.empty()) {
        throw InvalidArgument("unknown variant: " + name);
    }
    if (found != nullptr && found->variant.device != state_->device) {
        throw InvalidArgument("variant " + name + " is for device " + to_string(found->variant.device) +
                              ", and the layer on " + to_string(state_->device));
    }
    if (found != nullptr) {
        const std::string why_not = obstacle(found->variant, state_->options, untimed_machine(1));
        if (!why_not.empty()) {
            throw InvalidArgument("variant " + name + " " + why_not);
        }
    }
    if (rows_per_task < 0 || (rows_per_task > 0 && found == nullptr)) {
        throw InvalidArgument("rows_per_task must not be negative, and goes with a variant");
    }
    if (rows_per_task > 0 && (found->autoscheduled || found->variant.device != Device::cpu)) {
        throw InvalidArgument("variant " + name + " has tasks of its own, for which rows_per_task must be 0");
    }
    state_->forced = {found, rows_per_task};
    state_->plans.clear();
}

template<typename Extents>
BasicConvTranspose<Extents>::BasicConvTranspose(Options options)
    : ConvTranspose(lifted(options), spatial_dimensions<Extents>), options_(std::move(options)) {
}

template<typename Extents>
BasicConvTranspose<Extents>::BasicConvTranspose(int64_t in_channels, int64_t out_channels, Extents kernel_size,
                                                Extents stride, Extents padding, Extents output_padding, int64_t groups,
                                                bool bias, Extents dilation, std::string padding_mode)
    : BasicConvTranspose(Options{in_channels, out_channels, kernel_size, stride, padding, output_padding, groups, bias,
                                 dilation, std::move(padding_mode)}) {
}

template class BasicConvTranspose<int64_t>;
template class BasicConvTranspose<Pair>;
template class BasicConvTranspose<Triple>;

}  // namespace unstride
