#include "calls.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "support/gradient_reference.h"

namespace unstride::tests {
namespace {

constexpr Operator operators[] = {Operator::forward, Operator::input_gradient, Operator::weight_gradient,
                                  Operator::bias_gradient};

// The variants of the CPU for an operator, which this processor may run or not.
const std::vector<const Variant *> &variants_of(Operator op, Layout layout, const Types &types) {
    using Key = std::tuple<Operator, Layout, std::string>;
    static const auto all = [] {
        std::map<Key, std::vector<const Variant *>> by_key;
        for (const Variant &v : variants()) {
            if (v.device == Device::cpu) {
                by_key[{v.op, v.layout, to_string(v.types)}].push_back(&v);
            }
        }
        return by_key;
    }();
    static const std::vector<const Variant *> none;
    const auto found = all.find({op, layout, to_string(types)});
    return found == all.end() ? none : found->second;
}

void set_threads(int count) {
    if (num_threads() != count) {
        set_num_threads(count);
    }
}

void set_ceiling(const std::string &isa) {
    if (max_isa() != isa) {
        set_max_isa(isa);
    }
}

Activation draw_activation(int64_t channels, Choices &choices) {
    std::vector<double> slopes;
    for (int64_t c = 0; c < channels; c++) {
        slopes.push_back(static_cast<double>(c % 5) / 4 - 0.25);
    }
    const Activation all[] = {Activation::relu(),       Activation::leaky_relu(0.25), Activation::prelu(slopes),
                              Activation::elu(1.5),     Activation::silu(),           Activation::gelu(),
                              Activation::gelu_tanh(),  Activation::tanh(),           Activation::sigmoid(),
                              Activation::clamp(-1, 2), Activation::prelu({0.25})};
    return choices.of(all);
}

}  // namespace

bool is_gradient_of_parameters(Operator op) {
    return op == Operator::weight_gradient || op == Operator::bias_gradient;
}

void Call::perform(const ConvTranspose &layer) const {
    switch (op) {
    case Operator::forward:
        from.size() > 1 ? layer.forward(from[0], to, from[1]) : layer.forward(from[0], to);
        break;
    case Operator::input_gradient:
        layer.input_gradient(from[0], to, update);
        break;
    case Operator::weight_gradient:
        layer.weight_gradient(from[0], from[1], to, update);
        break;
    case Operator::bias_gradient:
        layer.bias_gradient(from[0], to, update);
        break;
    }
}

Session::Session(Choices &choices, Device device)
    : choices_(choices), drawn_(draw(choices)), layer_(drawn_.options, drawn_.spatial) {
    layer_.set_device(device);
    if (device == Device::cpu && choices.once_in(64)) {
        layer_.set_planning(Planning::measure);
    }
}

Session::Session(Choices &choices, const Variant &variant)
    : choices_(choices), only_(&variant), drawn_(draw_for(choices, variant)), layer_(drawn_.options, drawn_.spatial) {
}

std::string Session::text() const {
    return describe(drawn_) + "; " + to_string(call_.op) + " of " + to_string(call_.types) + " in " +
           to_string(call_.layout) + (call_.update == Update::accumulate ? ", accumulated" : "") +
           (with_residual_ ? ", with residual" : "") + (in_place_ ? " in place" : "") +
           (with_activation_ ? ", activation " + std::to_string(static_cast<int>(layer_.activation().kind)) : "") +
           ", on " + to_string(layer_.device()) + ", " + std::to_string(num_threads()) + " threads, ceiling '" +
           max_isa() + "', " + (forced_.empty() ? "planned" : "variant " + forced_);
}

void Session::set_parameters() {
    std::mt19937 random(choices_.seed());
    weight_ = make_data<double>(element_count(layer_.weight_shape()), call_.data, random, call_.types.input);
    layer_.set_weight(weight_.data(), layer_.weight_shape());
    if (drawn_.options.bias) {
        bias_ = make_data<double>(drawn_.options.out_channels, call_.data, random, call_.types.sums());
        layer_.set_bias(bias_.data(), layer_.bias_shape());
    }
}

std::unique_ptr<Walled> Session::array(const Shape &sizes, DType dtype, bool may_repeat) {
    const size_t rank = sizes.size(), channel = rank - static_cast<size_t>(drawn_.spatial) - 1;
    const Placement placement{call_.layout == Layout::ncdhw ? rank - 1 : channel, 1, choices_.once_in(2),
                              may_repeat && choices_.once_in(16)};
    return std::make_unique<Walled>(sizes, dtype, placement, choices_);
}

std::unique_ptr<Walled> Session::filled(const Shape &sizes, DType dtype, bool may_repeat) {
    std::unique_ptr<Walled> made = array(drawn_.as_passed(sizes), dtype, may_repeat);
    std::mt19937 random(choices_.seed());
    std::vector<double> numbers = make_data<double>(element_count(sizes), call_.data, random, dtype);
    if (!numbers.empty() && call_.data == Data::integers && choices_.once_in(32)) {
        constexpr double infinity = std::numeric_limits<double>::infinity();
        constexpr double special[] = {infinity, -infinity, std::numeric_limits<double>::quiet_NaN()};
        numbers[choices_.seed() % numbers.size()] = choices_.of(special);
    }
    copy_into(made->view(), numbers);
    return made;
}

void Session::choose_call() {
    forced_.clear();
    call_ = {};
    call_.op = choices_.once_in(2) ? choices_.of(operators) : Operator::forward;
    call_.layout = choices_.of(layouts);
    call_.data = choices_.once_in(4) ? Data::reals : Data::integers;
    const Types types = choices_.once_in(2) ? choices_.of(supported_types()) : Types();
    call_.types = types;
    const Triple &stride = drawn_.options.stride;
    if (call_.op == Operator::input_gradient && std::max({stride[0], stride[1], stride[2]}) > 1) {
        call_.types = types.input;  // There are kernels from 16 bits to f32 where the gradient is a forward alone.
    }
    if (only_ != nullptr) {
        call_.op = only_->op;
        call_.layout = only_->layout;
        call_.types = only_->types;
    }
    call_.update = call_.op != Operator::forward && choices_.once_in(3) ? Update::accumulate : Update::replace;
    set_threads(choices_.once_in(8) ? static_cast<int>(choices_.between(2, 4)) : 1);
    // One variant alone needs no other one, which a ceiling would ask for.
    set_ceiling(only_ == nullptr && choices_.once_in(16) ? "baseline" : "");
}

void Session::choose_activation() {
    with_activation_ = call_.op == Operator::forward && choices_.once_in(3);
    layer_.set_activation(with_activation_ ? draw_activation(drawn_.options.out_channels, choices_) : Activation());
}

void Session::prepare_forward() {
    call_.read.push_back(filled(drawn_.input, call_.types.input, true));
    with_residual_ = choices_.once_in(4);
    in_place_ = with_residual_ && choices_.once_in(2);
    if (in_place_) {
        call_.written = filled(drawn_.output, call_.types.output, false);
    } else {
        call_.written = array(drawn_.as_passed(drawn_.output), call_.types.output, false);
        if (with_residual_) {
            call_.read.push_back(filled(drawn_.output, call_.types.output, true));
        }
    }
}

void Session::prepare() {
    with_residual_ = in_place_ = false;
    const DType in = call_.types.input, out = call_.types.output;
    if (call_.op == Operator::forward) {
        prepare_forward();
    } else if (call_.op == Operator::input_gradient) {
        call_.read.push_back(filled(drawn_.output, in, true));
        call_.written = array(drawn_.as_passed(drawn_.input), out, false);
    } else {
        if (call_.op == Operator::weight_gradient) {
            call_.read.push_back(filled(drawn_.input, in, true));
        }
        call_.read.push_back(filled(drawn_.output, in, true));
        const Shape sizes =
            call_.op == Operator::weight_gradient ? layer_.weight_shape() : Shape{drawn_.options.out_channels};
        const auto dense = static_cast<size_t>(choices_.between(0, static_cast<int64_t>(sizes.size()) - 1));
        const bool spread = choices_.once_in(2);
        const Placement placement{dense, spread ? choices_.between(1, 3) : 1, spread, false};
        call_.written = std::make_unique<Walled>(sizes, out, placement, choices_);
    }
    if (call_.update == Update::accumulate) {
        std::mt19937 random(choices_.seed());
        const View<void> view = call_.written->view();
        copy_into(view, make_data<double>(element_count(view.sizes), call_.data, random, out));
    }
    const auto spatial = [&] { return choices_.once_in(4) ? 0 : drawn_.spatial; };
    for (const std::unique_ptr<Walled> &array : call_.read) {
        array->remember();
        call_.from.emplace_back(array->view(spatial()));
    }
    call_.to = call_.written->view(is_gradient_of_parameters(call_.op) ? 0 : spatial());
    if (in_place_) {
        call_.from.emplace_back(call_.to);
    }
}

// Forces a variant if it can run the call, and else makes sure that it is refused. Returns whether it is forced.
bool Session::force(const Variant &v, int64_t rows) {
    const bool fits = v.runs_here() && takes(v, drawn_.options);
    try {
        layer_.set_variant(v.name, rows, call_.op);
    } catch (const InvalidArgument &e) {
        if (fits) {
            throw Finding("variant " + v.name + " is refused: " + e.what());
        }
        return false;
    }
    if (!fits) {
        throw Finding("variant " + v.name + " is not refused");
    }
    forced_ = v.name;
    const std::vector<double> numbers = numbers_of(call_.from[0]);
    if (!is_gradient_of_parameters(call_.op) && !numbers.empty() &&
        !takes_numbers(v, {weight_.begin(), weight_.end()}, {numbers.begin(), numbers.end()})) {
        if (refusal().empty()) {
            throw Finding("numbers that the variant does not take are not refused");
        }
        layer_.set_variant("");
        forced_.clear();
        return false;
    }
    return true;
}

void Session::force_any_variant() {
    const std::vector<const Variant *> &all = variants_of(call_.op, call_.layout, call_.types);
    for (int i = 0; i < 4 && !all.empty(); i++) {
        const Variant &v = *choices_.of(all);
        const int64_t rows = is_gradient_of_parameters(call_.op) || choices_.once_in(2) ? 0 : choices_.between(1, 4);
        if (force(v, rows)) {
            return;
        }
    }
}

// Performs the call, which has to be refused. Returns the message, or nothing if it was not refused. All memory has to
// be as it was.
std::string Session::refusal() {
    call_.written->remember();
    std::string message;
    try {
        call_.perform(layer_);
    } catch (const InvalidArgument &e) {
        message = e.what();
    }
    check_memory();
    if (!message.empty() && !call_.written->is_as_remembered()) {
        throw Finding("memory was written by a call that is refused: " + message);
    }
    return message;
}

void Session::check_memory() const {
    for (const std::unique_ptr<Walled> &array : call_.read) {
        if (!array->is_as_remembered()) {
            throw Finding("an array that is only read was written to");
        }
    }
}

Shape Session::asked_size() const {
    const Triple &usual = drawn_.options.output_padding, &called = drawn_.called.output_padding;
    const bool differ = usual[0] != called[0] || usual[1] != called[1] || usual[2] != called[2];
    return differ ? drawn_.as_passed(drawn_.output) : Shape();
}

// The plan counts multiplications as this does: those whose input, tap and output exist.
void Session::check_plan() const {
    const Shape input = drawn_.as_passed(drawn_.input), output = drawn_.as_passed(drawn_.output);
    if (layer_.output_shape(input, asked_size()) != output) {
        throw Finding("output_shape is not that of the output");
    }
    const Plan plan = layer_.plan(input, call_.layout, asked_size(), call_.types, call_.op);
    if (!forced_.empty() && plan.variant.name != forced_) {
        throw Finding("the plan has variant " + plan.variant.name);
    }
    double meetings = static_cast<double>(drawn_.input[0] * drawn_.options.in_channels *
                                          (drawn_.options.out_channels / drawn_.options.groups));
    for (int d = 0; d < 3; d++) {
        size_t along = 0;
        for (const std::vector<Meeting> &tap :
             meetings_of_taps(drawn_.called, d, drawn_.output[static_cast<size_t>(2 + d)],
                              drawn_.input[static_cast<size_t>(2 + d)])) {
            along += tap.size();
        }
        meetings *= static_cast<double>(along);
    }
    if (call_.op != Operator::bias_gradient && plan.multiply_adds != meetings) {
        throw Finding("the plan has " + std::to_string(plan.multiply_adds) + " multiplications, not " +
                      std::to_string(meetings));
    }
}

// Another number of threads gives the same bits.
void Session::check_threads() {
    if (in_place_ || call_.update == Update::accumulate) {
        return;
    }
    call_.written->remember();
    set_threads(num_threads() % 4 + 1);
    call_.perform(layer_);
    if (!call_.written->is_as_remembered()) {
        throw Finding("another number of threads gives other bits");
    }
}

void Session::call() {
    choose_call();
    choose_activation();
    set_parameters();
    prepare();
    layer_.set_variant("");
    if (only_ != nullptr) {
        force(*only_, 0);
    } else if (layer_.device() == Device::cpu && choices_.once_in(2)) {
        force_any_variant();
    }
    const std::vector<double> before = numbers_of(call_.to);
    call_.perform(layer_);
    if (drawn_.input[0] > 0 || is_gradient_of_parameters(call_.op)) {
        compare("wrong numbers", numbers_of(call_.to), expected(before));
    }
    if (!call_.written->surroundings_intact()) {
        throw Finding("memory beside the result was written to");
    }
    check_memory();
    if (choices_.once_in(8)) {
        check_plan();
    }
    if (choices_.once_in(16)) {
        check_threads();
    }
    if (call_.op == Operator::forward && drawn_.input[0] > 0 && choices_.once_in(8)) {
        compute_block();
    }
}

}  // namespace unstride::tests
