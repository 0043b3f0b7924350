#include "unstride/conv_transpose.h"

#include <algorithm>
#include <utility>

#include "array/scan.h"
#include "checks/checks.h"
#include "device/machine.h"
#include "layer/initialize.h"
#include "layer/layer.h"
#include "plan/describe.h"
#include "plan/planning.h"
#include "plan/wisdom.h"
#include "problem/checked.h"
#include "problem/dimensions.h"
#include "process/float_environment.h"
#include "process/planning_changes.h"
#include "run/block_limits.h"

namespace unstride {
namespace {

// Returns a geometry for which a plan can be made. With an empty batch, spatial sizes may be 0, of which nothing can be
// planned, so that they become 1.
Geometry with_space(Geometry geometry) {
    for (Extent &e : geometry.extent) {
        e.input = std::max<int64_t>(e.input, 1);
        e.output = std::max<int64_t>(e.output, 1);
    }
    return geometry;
}

// Returns how many elements an item of the larger array has.
int64_t largest_item(const Geometry &geometry) {
    return std::max(geometry.input_elements(), geometry.output_elements()) / std::max<int64_t>(geometry.batch, 1);
}

}  // namespace

ConvTranspose::State::State() : planning(planning_of_environment()) {
}

void ConvTranspose::State::weight_is_set() {
    has_moderate_weights = are_moderate(parameters.weight.floats());
    has_weights_in_bf16 = are_in_bf16(parameters.weight.floats());
    packed.clear();
}

Problem ConvTranspose::State::problem_of(Operator op, const Geometry &geometry, Layout layout,
                                         const Types &types) const {
    const Entry *entry = forced_for(op).entry;
    const Operator of_kernels = entry != nullptr ? entry->variant.op : op_of_kernels(op, geometry);
    const int threads = device == Device::cpu ? num_threads() : processors;
    Problem problem = unstride::problem_of(op, of_kernels, geometry, layout, types, threads);
    problem.device = device;
    if (!sums_over_positions(op)) {
        problem.conditions.moderate = has_moderate_weights;
        problem.conditions.in_bf16 = has_weights_in_bf16;
    }
    return problem;
}

Planned ConvTranspose::State::plan_for(const Problem &problem) const {
    ProgramCache::Key key{problem, planning_changes};
    Planned planned = programs.find(key);
    if (!planned.program) {
        load_environment_wisdom();  // before the count of changes that the program is kept for
        key.changes = planning_changes;
        const Machine machine = untimed_machine(problem.threads);
        ConvTranspose3dOptions seen = options_of_kernels(options, problem.by_forward);
        if (problem.whole) {  // a block has its own padding
            const auto &[z, y, x] = problem.geometry.extent;
            seen.padding = {z.axis.padding, y.axis.padding, x.axis.padding};
        }
        planned.program = std::make_shared<const Program>(decide(seen, problem, machine, forced_for(problem.op)));
        const bool is_estimate = forced_for(problem.op).entry == nullptr && planned.program->measured_seconds == 0,
                   takes_time = problem.geometry.batch > 0 && !problem.whole,
                   in_one_piece = largest_item(problem.geometry) <= block_limits().elements;
        if (planning != Planning::estimate && device == Device::cpu && is_estimate && takes_time && in_one_piece) {
            auto trials = std::make_shared<Trials>(seen, problem, machine, planned.program);
            planned.trials = trials->are_over() ? nullptr : std::move(trials);
        }
        planned = programs.insert(key, planned);
    }
    return planned;
}

ConvTranspose::ConvTranspose(ConvTranspose3dOptions options, int spatial) : state_(std::make_unique<State>()) {
    check_options(options, spatial);
    state_->options = std::move(options);
    state_->spatial = spatial;
    try {
        state_->parameters.weight.floats_to_write().resize(static_cast<size_t>(product(weight_shape())));
        state_->parameters.bias.floats_to_write().resize(
            state_->options.bias ? static_cast<size_t>(state_->options.out_channels) : 0);
    } catch (const std::exception &) {  // std::bad_alloc or std::length_error
        throw OutOfMemory("out of memory: could not allocate the weights, of size " + to_string(weight_shape()));
    }
    if (ZeroWeights::are_wanted()) {
        state_->has_moderate_weights = true;
        state_->has_weights_in_bf16 = true;
    } else {
        reset_parameters(0);
    }
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
    state_->formula = formula_of(activation);
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
    state_->programs.clear();
}

Device ConvTranspose::device() const {
    return state_->device;
}

Plan ConvTranspose::plan(const Shape &input_shape, Layout layout, const Shape &output_size, const Types &types,
                         Operator op) const {
    check_types(types);
    const Geometry geometry = with_space(resolve(state_->options, input_shape, output_size, spatial()));
    check_item_of(state_->device, geometry);
    const Problem problem = state_->problem_of(op, geometry, layout, types);
    Machine machine = untimed_machine(problem.threads);
    machine.clock_hertz = device_info(state_->device).clock_hertz;
    const Planned planned = state_->plan_for(problem);
    Plan plan = describe(*planned.program, problem, machine);
    plan.under_trial = planned.trials != nullptr;
    if (plan.under_trial) {
        plan.reason += "; the next calls try it beside " + std::to_string(planned.trials->programs().size() - 1) +
                       " other candidates";
    }
    return plan;
}

Plan ConvTranspose::plan(const Shape &input_shape, Layout layout, const Shape &output_size, const Types &types,
                         const Machine &machine, Operator op) const {
    check_types(types);
    check_machine(machine);
    if (state_->device != Device::cpu) {
        throw InvalidArgument(std::string("a machine is for layers on the CPU, and this one is on ") +
                              to_string(state_->device));
    }
    const Geometry geometry = with_space(resolve(state_->options, input_shape, output_size, spatial()));
    Problem problem = state_->problem_of(op, geometry, layout, types);
    problem.threads = machine.threads;
    const ConvTranspose3dOptions seen = options_of_kernels(state_->options, problem.by_forward);
    return describe(decide(seen, problem, machine, state_->forced_for(op)), problem, machine);
}

Forced ConvTranspose::State::demand(const std::string &name, int64_t rows_per_task,
                                    const std::optional<Operator> &op) const {
    if (rows_per_task < 0 || (rows_per_task > 0 && name.empty())) {
        throw InvalidArgument("rows_per_task must not be negative, and goes with a variant");
    }
    if (name.empty()) {
        return {};
    }
    const Entry *found = find_entry(name);
    if (found == nullptr) {
        throw InvalidArgument("unknown variant: " + name);
    }
    const Variant &v = found->variant;
    const auto refuse = [&](const std::string &why) { throw InvalidArgument("variant " + name + " " + why); };
    if (v.device != device) {
        refuse(std::string("is for device ") + to_string(v.device) + ", and the layer on " + to_string(device));
    }
    const bool by_forward = op == Operator::input_gradient && v.op == Operator::forward;
    if (by_forward && std::max({options.stride.depth, options.stride.height, options.stride.width}) > 1) {
        refuse("computes input gradients of layers whose strides are 1 alone");
    }
    if (!by_forward && v.op != op.value_or(v.op)) {
        refuse(std::string("computes the ") + to_string(v.op) + ", not the " + to_string(*op));
    }
    const std::string why_not = obstacle(*found, options_of_kernels(options, by_forward), untimed_machine(1));
    if (!why_not.empty()) {
        refuse(why_not);
    }
    if (rows_per_task > 0 && (found->autoscheduled || v.device != Device::cpu || sums_over_positions(v.op))) {
        refuse("has tasks of its own, for which rows_per_task must be 0");
    }
    return {found, rows_per_task};
}

void ConvTranspose::set_variant(const std::string &name, int64_t rows_per_task) {
    const Forced forced = state_->demand(name, rows_per_task, std::nullopt);
    if (forced.entry == nullptr) {
        state_->forced = {};
    } else {
        state_->forced[static_cast<size_t>(forced.entry->variant.op)] = forced;
    }
    state_->programs.clear();
}

void ConvTranspose::set_variant(const std::string &name, int64_t rows_per_task, Operator op) {
    state_->forced[static_cast<size_t>(op)] = state_->demand(name, rows_per_task, op);
    state_->programs.clear();
}

void ConvTranspose::set_planning(Planning planning) {
    if (planning != state_->planning) {
        state_->planning = planning;
        state_->programs.clear();
    }
}

Planning ConvTranspose::planning() const {
    return state_->planning;
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
